-- From an accepted batch to its sends.

-- name: take
-- Locks one batch that is due until the transaction ends: the longest due one of the business whose turn it is,
-- after business $1. Batches that another relay works on, or that wait after an error, are passed over.
SELECT id, business_id, date_from, date_to, statement_kind, other_emails, copy_to_me, skip_empty, min_balance,
       frozen_list IS NOT NULL AS is_frozen, expanded_to, charged - recipients AS room, send_at,
       now() AS taken_at
FROM batches
WHERE (phase = 'expanding' OR phase = 'scheduled' AND send_at <= now())
  AND coalesce(try_at <= now(), true)
ORDER BY business_id <= $1, business_id, send_at, id
LIMIT 1
FOR NO KEY UPDATE SKIP LOCKED

-- name: waiting
-- At most $3 customers of batch $1 that wait, after customer $2, with the addresses of the frozen list, and how many
-- recipients of each are charged.
SELECT customer_id, recipients, coalesce(charged, 0) AS charged FROM batch_customers
WHERE batch_id = $1 AND customer_id > $2 AND send_id IS NULL AND reason_code IS NULL
ORDER BY customer_id
LIMIT $3

-- name: reserved
-- How many recipients are charged for the customers of batch $1 that wait, after customer $2.
SELECT coalesce(sum(charged), 0)::integer FROM batch_customers
WHERE batch_id = $1 AND customer_id > $2 AND send_id IS NULL AND reason_code IS NULL

-- name: store
-- Stores what was decided about some customers of a batch: their sends with the deliveries, each as that of a
-- single request, and why the others are skipped. A customer of a batch has one send, whatever happens twice.
-- Wakes the relays. `sent_of` numbers, for each delivery, its send among $send_ids. The bounds of the customers
-- are given besides: for a join alone, the planner reads all customers of the batch in each step.
WITH asked AS MATERIALIZED (
    SELECT * FROM batches WHERE id = $batch::uuid
), made AS MATERIALIZED (
    SELECT * FROM unnest($send_ids::uuid[], $customers::bigint[], $skipped_addresses::text[])
        WITH ORDINALITY AS made (id, customer_id, skipped, place)
), sent AS (
    INSERT INTO sends (id, business_id, customer_id, date_from, date_to, statement_kind, locale,
                       personal_message, copy_to_me, skipped, created_at, send_at, expires_at, traceparent, batch_id)
    SELECT m.id, b.business_id, m.customer_id, b.date_from, b.date_to, b.statement_kind, b.locale,
           b.personal_message, b.copy_to_me, m.skipped::jsonb, now(), b.send_at, b.expires_at, b.traceparent, b.id
    FROM asked b, made m
), delivered AS (
    INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state,
                            due_at, expires_at, created_at, updated_at, batch_id)
    SELECT r.id, m.id, b.business_id, r.position, r.email, r.email_key, 'scheduled',
           b.send_at, b.expires_at, now(), now(), b.id
    FROM asked b,
         unnest($delivery_ids::uuid[], $sent_of::integer[], $positions::integer[], $emails::text[], $email_keys::text[])
             AS r (id, sent_of, position, email, email_key)
    JOIN made m ON m.place = r.sent_of
), settled AS (
    UPDATE batch_customers c
    SET send_id = s.send_id, reason = s.reason, reason_code = s.reason_code, recipients = NULL
    FROM (SELECT id AS send_id, customer_id, NULL AS reason, NULL AS reason_code FROM made
          UNION ALL
          SELECT NULL, * FROM unnest($skipped::bigint[], $reasons::text[], $reason_codes::text[])) s
    WHERE c.batch_id = $batch AND c.customer_id BETWEEN $first::bigint AND $last::bigint
      AND c.customer_id = s.customer_id
), counted AS (
    UPDATE batches SET phase = 'expanding', recipients = recipients + cardinality($delivery_ids),
                       expanded_to = $last, tries = 0, try_at = NULL, reason = NULL, reason_code = NULL,
                       updated_at = now()
    WHERE id = $batch
)
SELECT pg_notify('ledgerpost_due', '') FROM made LIMIT 1

-- name: complete
-- Says that every customer of batch $1 has a send or is skipped.
UPDATE batches SET phase = 'sending', tries = 0, try_at = NULL, reason = NULL, reason_code = NULL,
                   updated_at = clock_timestamp()
WHERE id = $1

-- name: finish
-- Ends at most $1 batches without a mail that waits or is in flight.
UPDATE batches SET phase = 'done', updated_at = clock_timestamp()
WHERE id = ANY(ARRAY(
    SELECT id FROM batches b
    WHERE phase = 'sending'
      AND NOT EXISTS (SELECT FROM sends WHERE batch_id = b.id AND status IN ('scheduled', 'sending'))
    LIMIT $1
    FOR NO KEY UPDATE SKIP LOCKED))
RETURNING id

-- name: note_failure
-- Notes that a step of batch $1 failed for the reason $3 with the code $4. The batch is tried again after a while, of
-- at most an hour; after $2 failures in a row it fails. Returns its phase.
UPDATE batches SET
    tries = tries + 1,
    try_at = clock_timestamp() + least(interval '1 second' * power(4, tries), interval '1 hour'),
    phase = CASE WHEN tries + 1 >= $2 THEN 'failed' ELSE phase END,
    reason = $3,
    reason_code = $4,
    updated_at = clock_timestamp()
WHERE id = $1 AND phase IN ('scheduled', 'expanding')
RETURNING phase

-- name: next_due
-- The time until the next batch has to be expanded; no row if there is none.
SELECT greatest(send_at, try_at) - clock_timestamp() FROM batches
WHERE phase IN ('scheduled', 'expanding')
ORDER BY greatest(send_at, try_at)
LIMIT 1

-- name: give_back
-- Gives back to the quotas of business and day what batch $1 was charged and did not become recipients; if $2, only to
-- that of the day on which it is due. The batch of an occurrence is due when it is charged, which may be days after it
-- was made.
WITH unused AS MATERIALIZED (
    SELECT id, business_id, (send_at AT TIME ZONE 'UTC')::date AS due,
           (CASE WHEN occurrence IS NULL THEN created_at ELSE send_at END AT TIME ZONE 'UTC')::date AS accepted,
           charged - recipients AS count
    FROM batches WHERE id = $1 AND charged > recipients
    FOR NO KEY UPDATE
), settled AS (
    UPDATE batches b SET charged = b.recipients FROM unused WHERE b.id = unused.id
)
SELECT give_back_due_recipients(business_id, due, count),
       CASE WHEN NOT $2 THEN give_back_recipients(business_id, accepted, count) END
FROM unused

-- name: charge
-- Charges $2 further recipients of batch $1 to the day on which it is due, as its acceptance does; they violate
-- `due_quota` or `daily_quota` if there is no room for them within the quota $3.
UPDATE batches SET charged = charged + $2::integer
WHERE id = $1
  AND count_due_recipients(business_id, (send_at AT TIME ZONE 'UTC')::date, $2, $3::integer)
  AND count_recipients(business_id, $2, least(4 * $3::bigint, 2147483647)::integer)
