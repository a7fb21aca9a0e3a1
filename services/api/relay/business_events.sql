-- The outbox of what happened to batches and schedules.

-- name: unpublished
-- At most $1 of the oldest unpublished events, with what they tell about their batches. Mails and skipped
-- customers are counted for final phases only.
SELECT e.id AS sequence, e.business_id, e.type, e.batch_id, e.schedule_id, e.occurrence, e.reason, e.reason_code,
       e.traceparent, e.occurred_at,
       b.date_from AS start, b.date_to AS end, b.customers,
       CASE WHEN e.type = ANY($2::text[]) THEN (
           SELECT coalesce(json_object_agg(state, number), '{}')
           FROM (SELECT CASE d.state WHEN 'committing' THEN 'sending' ELSE d.state END AS state, count(*) AS number
                 FROM deliveries d WHERE d.batch_id = e.batch_id GROUP BY 1) mails
       ) END AS counts,
       CASE WHEN e.type = ANY($2::text[]) THEN (
           SELECT coalesce(json_object_agg(reason_code, number), '{}')
           FROM (SELECT c.reason_code, count(*) AS number
                 FROM batch_customers c WHERE c.batch_id = e.batch_id AND c.reason_code IS NOT NULL GROUP BY 1) left_out
       ) END AS skipped
FROM business_events e LEFT JOIN batches b ON b.id = e.batch_id
WHERE e.id IN (SELECT id FROM business_events WHERE published_at IS NULL ORDER BY id LIMIT $1)
ORDER BY e.id

-- name: published
-- The broker has confirmed these events. $1 ids.
UPDATE business_events SET published_at = clock_timestamp()
WHERE id = ANY($1::bigint[]) AND published_at IS NULL

-- name: prune
-- Deletes events that were published longer than $2 ago. Considers only the $1 oldest events, because their
-- numbers follow the time.
DELETE FROM business_events WHERE id IN (
    SELECT id FROM (SELECT id, published_at FROM business_events ORDER BY id LIMIT $1) oldest
    WHERE published_at < now() - $2::interval)
