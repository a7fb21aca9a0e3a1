-- name: prune_idempotency_keys
-- Answers are repeated for 24 hours. $1 how many.
DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1))

-- name: prune_events
-- What subscribers were told of longer than $2 ago. Of the $1 oldest events only, because their
-- numbers follow the time.
DELETE FROM delivery_events WHERE id IN (
    SELECT id FROM (SELECT id, published_at FROM delivery_events ORDER BY id LIMIT $1) oldest
    WHERE published_at < now() - $2::interval)

-- name: prune_sends
-- Sends all of whose mails came to their end longer than $2 ago, with their deliveries and events;
-- what is in doubt waits for a person, and what subscribers were not told of waits for the outbox.
-- $1 how many.
DELETE FROM sends WHERE id = ANY(ARRAY(
    SELECT s.id FROM sends s
    WHERE s.created_at < now() - $2::interval
      AND NOT EXISTS (
          SELECT FROM deliveries d
          WHERE d.send_id = s.id
            AND (d.state NOT IN ('sent', 'failed', 'cancelled', 'expired', 'suppressed')
                 OR d.updated_at >= now() - $2::interval
                 OR EXISTS (SELECT FROM delivery_events e WHERE e.delivery_id = d.id AND e.published_at IS NULL)))
      AND NOT EXISTS (SELECT FROM request_answers a WHERE a.send_id = s.id AND a.published_at IS NULL)
    LIMIT $1))

-- name: prune_quotas
-- Counts of days that are over. $1 how many.
DELETE FROM due_recipients WHERE (business_id, day, share) IN (
    SELECT business_id, day, share FROM due_recipients
    WHERE day < (now() AT TIME ZONE 'UTC')::date LIMIT $1)

-- name: prune_statements
-- Statements that no send shows: the send is gone, or another relay had frozen one before. $1 how many.
DELETE FROM statements s WHERE ctid = ANY(ARRAY(
    SELECT o.ctid FROM statements o
    WHERE o.created_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM sends WHERE business_id = o.business_id AND statement_sha256 = o.sha256)
    LIMIT $1))

-- name: prune_answers
-- Answers to requests that subscribers were told of longer than $2 ago; until then the same request
-- finds its answer. $1 how many.
DELETE FROM request_answers WHERE id IN (
    SELECT id FROM (SELECT id, published_at FROM request_answers ORDER BY id LIMIT $1) oldest
    WHERE published_at < now() - $2::interval)

-- name: has_business
-- Whether business $1 exists.
SELECT EXISTS (SELECT FROM businesses WHERE id = $1)
