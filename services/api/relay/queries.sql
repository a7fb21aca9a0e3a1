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

-- name: take_answers
-- The oldest answers that subscribers were not told of, for as long as the lease $2: whoever takes
-- them and stands still for longer may find that another relay has told of them, too. $1 how many.
WITH waiting AS MATERIALIZED (
    SELECT id FROM request_answers
    WHERE published_at IS NULL AND taken_until <= clock_timestamp()
    ORDER BY id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE request_answers a SET taken_until = clock_timestamp() + $2::interval
FROM waiting WHERE a.id = waiting.id
RETURNING a.id, a.event_id, a.business_id, a.send_id, a.event, a.traceparent

-- name: answers_told
-- The broker has confirmed these answers. $1 ids.
UPDATE request_answers SET published_at = clock_timestamp() WHERE id = ANY($1::bigint[])

-- name: has_business
-- Whether business $1 exists.
SELECT EXISTS (SELECT FROM businesses WHERE id = $1)
