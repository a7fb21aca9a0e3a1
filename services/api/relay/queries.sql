-- name: prune_idempotency_keys
-- Deletes at most $1 answers that are older than 24 hours and so no longer repeated.
DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1))

-- name: prune_events
-- Deletes events that were published longer than $2 ago. Considers only the $1 oldest events, because
-- their numbers follow the time.
DELETE FROM delivery_events WHERE id IN (
    SELECT id FROM (SELECT id, published_at FROM delivery_events ORDER BY id LIMIT $1) oldest
    WHERE published_at < now() - $2::interval)

-- name: prune_sends
-- Deletes at most $1 sends all of whose mails reached a final state longer than $2 ago, with their
-- deliveries and events. Mails in doubt wait for a person, and unpublished events for the outbox.
DELETE FROM sends WHERE id = ANY(ARRAY(
    SELECT s.id FROM sends s
    WHERE s.created_at < now() - $2::interval
      AND NOT EXISTS (
          SELECT FROM deliveries d
          WHERE d.send_id = s.id
            AND (d.state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred', 'in_doubt')
                 OR d.updated_at >= now() - $2::interval
                 OR EXISTS (SELECT FROM delivery_events e WHERE e.delivery_id = d.id AND e.published_at IS NULL)))
      AND NOT EXISTS (SELECT FROM request_answers a WHERE a.send_id = s.id AND a.published_at IS NULL)
    LIMIT $1))

-- name: prune_sessions
-- Deletes at most $1 sessions that have expired.
DELETE FROM sessions WHERE sha256 = ANY(ARRAY(
    SELECT sha256 FROM sessions WHERE expires_at < now() LIMIT $1))

-- name: prune_quotas
-- Deletes at most $1 counts of past days.
DELETE FROM due_recipients WHERE (business_id, day, share) IN (
    SELECT business_id, day, share FROM due_recipients
    WHERE day < (now() AT TIME ZONE 'UTC')::date LIMIT $1)

-- name: prune_statements
-- Deletes at most $1 statements that no send refers to: the send was deleted, or another relay was first.
DELETE FROM statements s WHERE ctid = ANY(ARRAY(
    SELECT o.ctid FROM statements o
    WHERE o.created_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM sends WHERE business_id = o.business_id AND statement_sha256 = o.sha256)
    LIMIT $1))

-- name: prune_answers
-- Deletes answers to requests that were published longer than $2 ago; until then the same request gets
-- its answer. Considers the $1 oldest.
DELETE FROM request_answers WHERE id IN (
    SELECT id FROM (SELECT id, published_at FROM request_answers ORDER BY id LIMIT $1) oldest
    WHERE published_at < now() - $2::interval)

-- name: has_business
-- Whether business $1 exists.
SELECT EXISTS (SELECT FROM businesses WHERE id = $1)
