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

-- name: prune_batches
-- Deletes at most $1 batches that ended longer than $2 ago, with their customers. Their sends are deleted before
-- them; unpublished events and answers wait for their loops.
DELETE FROM batches WHERE id = ANY(ARRAY(
    SELECT b.id FROM batches b
    WHERE b.phase IN ('done', 'cancelled', 'failed') AND b.updated_at < now() - $2::interval
      AND NOT EXISTS (SELECT FROM sends s WHERE s.batch_id = b.id)
      AND NOT EXISTS (SELECT FROM business_events e WHERE e.batch_id = b.id AND e.published_at IS NULL)
      AND NOT EXISTS (SELECT FROM request_answers a WHERE a.batch_id = b.id AND a.published_at IS NULL)
    LIMIT $1))

-- name: prune_frozen_lists
-- Deletes at most $1 frozen lists that have expired, with their customers.
DELETE FROM frozen_lists WHERE id = ANY(ARRAY(SELECT id FROM frozen_lists WHERE expires_at < now() LIMIT $1))

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

-- name: prune_logos
-- Deletes at most $1 logos that no branding names and no kept statement was frozen with. A branding that
-- changed today keeps all logos of its business: a statement that is being frozen may have read the one before.
-- The age is asked twice, because a business may be taking a logo back while this waits for it.
DELETE FROM logos WHERE created_at < now() - interval '1 day' AND (business_id, sha256) IN (
    SELECT business_id, sha256 FROM logos l
    WHERE l.created_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM branding WHERE business_id = l.business_id
                      AND (logo_sha256 = l.sha256 OR updated_at > now() - interval '1 day'))
      AND NOT EXISTS (SELECT FROM statements WHERE business_id = l.business_id AND logo_sha256 = l.sha256)
    LIMIT $1)

-- name: prune_returned_mails
-- Deletes at most $1 mails that came back longer than $2 ago; what they said stays.
DELETE FROM returned_mails WHERE return_id = ANY(ARRAY(
    SELECT return_id FROM returned_mails WHERE received_at < now() - $2::interval ORDER BY received_at LIMIT $1))

-- name: prune_returns
-- Deletes at most $1 returns that match no delivery and came longer than $2 ago. The others go with their delivery.
DELETE FROM returns WHERE id = ANY(ARRAY(
    SELECT id FROM returns WHERE delivery_id IS NULL AND received_at < now() - $2::interval LIMIT $1))

-- name: prune_lifted_suppressions
-- Deletes at most $1 notes about suppressions that were lifted longer than $2 ago.
DELETE FROM lifted_suppressions WHERE id = ANY(ARRAY(
    SELECT id FROM lifted_suppressions WHERE lifted_at < now() - $2::interval LIMIT $1))

-- name: prune_answers
-- Deletes answers to requests that were published longer than $2 ago; until then the same request gets
-- its answer. Considers the $1 oldest.
DELETE FROM request_answers WHERE id IN (
    SELECT id FROM (SELECT id, published_at FROM request_answers ORDER BY id LIMIT $1) oldest
    WHERE published_at < now() - $2::interval)

-- name: stop_batches
-- After a restore: fails every batch that could be expanded now, because its other customers may have been mailed
-- after the backup. One that is due later was not expanded.
UPDATE batches SET
    phase = 'failed',
    reason = 'the database was restored: whether its other customers were mailed after the backup is not known',
    reason_code = 'database_restored',
    updated_at = clock_timestamp()
WHERE phase IN ('expanding', 'waiting') OR phase = 'scheduled' AND send_at <= clock_timestamp()
RETURNING id

-- name: pause_schedules
-- After a restore: pauses every schedule with an occurrence that is due, because the relay may have made its batch
-- after the backup. The pause begins with that occurrence, so that it passes during the pause.
WITH paused AS (
    UPDATE schedules SET paused_at = next_at, updated_at = clock_timestamp()
    WHERE paused_at IS NULL AND next_at <= clock_timestamp()
    RETURNING id, business_id, next_on, traceparent
)
INSERT INTO business_events (business_id, type, schedule_id, occurrence, reason, reason_code, traceparent)
SELECT business_id, 'schedule.paused', id, next_on,
       'the database was restored: whether the batch was made after the backup is not known', 'database_restored',
       traceparent
FROM paused
RETURNING id

-- name: drop_frozen_lists
-- After a restore: deletes all frozen lists, because each may have been used after the backup.
DELETE FROM frozen_lists

-- name: skip_business_events
-- After a restore: skips the numbers of events that subscribers may have seen after the backup.
SELECT setval(sequence, nextval(sequence) + 1000000)
FROM (SELECT pg_get_serial_sequence('business_events', 'id')::regclass) AS events (sequence)
