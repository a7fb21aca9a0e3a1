-- Accepting, showing and repeating sends.

-- name: look
-- What a request of business $1 about customer $2 has to know, the answer stored under the key $3
-- (empty: no key), and the time of the database. A stored address may be a list, and have any length: as
-- much of it is read as tells that there are too many. Only a customer with more than 100 documents may have
-- too long a statement, as far as a look before accepting goes.
SELECT now() AS asked_at,
       c.id IS NOT NULL AS has_customer,
       EXISTS (SELECT FROM invoices WHERE business_id = b.id AND customer_id = c.id OFFSET 100) AS has_many_documents,
       left(c.business_email, 4001) AS customer_email,
       left(b.email, 4001) AS business_email,
       b.timezone,
       EXISTS (SELECT FROM suppressions WHERE business_id = b.id) AS suppresses,
       EXISTS (SELECT FROM pauses WHERE business_id = b.id OR business_id IS NULL) AS paused,
       k.fingerprint, k.send_id, k.answer
FROM businesses b
LEFT JOIN customers c ON c.business_id = b.id AND c.id = $2
LEFT JOIN idempotency_keys k
    ON k.business_id = b.id AND k.key = $3 AND k.created_at > now() - interval '24 hours'
WHERE b.id = $1

-- name: now_in_business
-- The database's time, and the timezone of business $1.
SELECT now() AS asked_at, timezone FROM businesses WHERE id = $1

-- name: suppressed
-- The addresses among $2 that business $1 no longer mails, with the reasons.
SELECT email_key, reason, reason_code FROM suppressions WHERE business_id = $1 AND email_key = ANY($2::text[])

-- name: accept
-- Stores a send and its deliveries, and under its key (NULL: no key) the answer to its repetitions;
-- wakes the relay if the send is due now. All or nothing, in this one statement. No row comes back,
-- and nothing is stored, if the key is taken, or another request takes it at this moment. A key that
-- was used more than 24 hours ago is free again. A resend comes with the id and the statement of its
-- original. The recipients count towards the quota of the day in UTC on which they are due, and four
-- times as many may be accepted on one day: too many violate `due_quota` or `daily_quota`. A
-- repetition counts nothing. Days travel as text, because asyncpg takes the first and the last day of
-- the calendar for the two infinities.
WITH keyed AS (
    INSERT INTO idempotency_keys AS old (business_id, key, fingerprint, send_id, answer, created_at)
    SELECT $business::bigint, $key::text, $fingerprint::bytea, $id::uuid, $answer::text, $created_at::timestamptz
    WHERE $key IS NOT NULL AND pg_try_advisory_xact_lock(hashtextextended($key, $business))
    ON CONFLICT (business_id, key) DO UPDATE SET
        fingerprint = excluded.fingerprint, send_id = excluded.send_id, status = excluded.status,
        answer = excluded.answer, created_at = excluded.created_at
    WHERE old.created_at <= now() - interval '24 hours'
    RETURNING send_id
), sent AS (
    INSERT INTO sends (id, business_id, customer_id, date_from, date_to, statement_kind, locale,
                       personal_message, copy_to_me, skipped, created_at, send_at, expires_at,
                       resend_of, statement_sha256, figures_sha256, traceparent)
    SELECT $id, $business, $customer::bigint, $start::text::date, $end::text::date,
           $statement_kind::text, $locale::text, $personal_message::text, $copy_to_me::boolean,
           $skipped::jsonb, $created_at, $send_at::timestamptz, $expires_at::timestamptz,
           $resend_of::uuid, $statement::bytea, $figures::bytea, $trace::text
    WHERE CASE WHEN $key IS NULL OR EXISTS (SELECT FROM keyed)
               THEN count_due_recipients($business, ($send_at AT TIME ZONE 'UTC')::date,
                                         cardinality($delivery_ids::uuid[]), $daily_quota)
                    AND count_recipients($business, cardinality($delivery_ids),
                                         least(4 * $daily_quota::bigint, 2147483647)::integer) END
    RETURNING id, business_id, send_at, expires_at, created_at
), delivered AS (
    INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state,
                            due_at, expires_at, created_at, updated_at)
    SELECT r.id, s.id, s.business_id, r.position, r.email, r.email_key, 'scheduled',
           s.send_at, s.expires_at, s.created_at, s.created_at
    FROM sent s, unnest($delivery_ids::uuid[], $emails::text[], $email_keys::text[])
        WITH ORDINALITY AS r (id, email, email_key, position)
)
SELECT pg_notify('ledgerpost_due', '') FROM sent

-- name: sends
-- Sends of business $business with their states, newest first; `chosen` is one of the queries below.
SELECT s.id, s.customer_id, s.date_from AS start, s.date_to AS end, s.statement_kind, s.locale,
       s.personal_message, s.skipped, s.send_at, s.expires_at, s.created_at,
       encode(s.statement_sha256, 'hex') AS statement_sha256,
       encode(s.figures_sha256, 'hex') AS figures_sha256,
       s.resend_of, s.batch_id, came.recipients, s.is_found, s.is_at_bound,
       CASE WHEN s.status = 'scheduled' AND s.send_at <= now() THEN 'sending' ELSE s.status END AS status,
       s.status IN ('scheduled', 'sending') AND EXISTS (
           SELECT FROM pauses WHERE business_id = $business::bigint OR business_id IS NULL
       ) AS paused
FROM (
{chosen}
) s
CROSS JOIN LATERAL (
    SELECT
        json_agg(json_build_object(
            'id', d.id,
            'email', d.email,
            'state', CASE d.state WHEN 'committing' THEN 'sending' ELSE d.state END,
            'attempts', d.attempts,
            'reply', d.reply,
            'reason', d.reason,
            'reason_code', d.reason_code,
            'next_attempt_at', CASE WHEN d.state IN ('scheduled', 'deferred') THEN d.due_at END,
            'sent_at', d.sent_at,
            'updated_at', d.updated_at
        ) ORDER BY d.position) AS recipients
    FROM deliveries d
    WHERE d.send_id = s.id
) came
ORDER BY s.created_at DESC, s.id DESC

-- name: by_id
-- One send of a business.
SELECT *, true AS is_found, false AS is_at_bound FROM sends
WHERE business_id = $business::bigint AND id = $id::uuid

-- name: of_business
-- The newest sends of a business before the time $before and the id $before_id, and not before $since.
-- `condition` is one that an index answers. That index has all that is selected, so it is always read in
-- its order, whatever the planner believes of the number of sends.
SELECT id, created_at FROM sends
WHERE business_id = $business::bigint AND created_at >= $since::timestamptz
  AND (created_at, id) < ($before::timestamptz, $before_id::uuid) AND {condition}
ORDER BY created_at DESC, id DESC
LIMIT {most}

-- name: of_recipient
-- Like `of_business`: those with a mail to the address $recipient. A send and its mails have the same time.
SELECT send_id AS id, created_at FROM deliveries
WHERE business_id = $business::bigint AND email_key = $recipient::text
  AND created_at >= $since::timestamptz
  AND (created_at, send_id) < ($before::timestamptz, $before_id::uuid)
ORDER BY created_at DESC, send_id DESC
LIMIT {most}

-- name: of_batches
-- Like `of_business`: those of the batches that meet the condition `whose`. Each batch gives its newest sends, so
-- that those of a schedule with many batches are found by an index, too.
SELECT s.id, s.created_at
FROM batches b CROSS JOIN LATERAL (
    SELECT id, created_at FROM sends
    WHERE batch_id = b.id AND created_at >= $since::timestamptz
      AND (created_at, id) < ($before::timestamptz, $before_id::uuid) AND {condition}
    ORDER BY created_at DESC, id DESC
    LIMIT {most}) s
WHERE b.business_id = $business::bigint AND {whose}
ORDER BY s.created_at DESC, s.id DESC
LIMIT {most}

-- name: all_found
-- The sends that an index finds.
SELECT s.*, true AS is_found, false AS is_at_bound
FROM ({found}) found CROSS JOIN LATERAL (SELECT * FROM sends WHERE id = found.id OFFSET 0) s

-- name: some_found
-- At most $count of the sends that an index finds and that meet a further `condition`. At most $looked
-- sends are looked at, so that a page takes the same time in a history of any length. If there are that many,
-- the last of them is a row of the result even if it does not meet the condition; its is_at_bound is true.
SELECT * FROM (
    SELECT s.*, found.created_at AS found_at, found.id AS found_id, ({condition}) AS is_found,
           row_number() OVER (ORDER BY found.created_at DESC, found.id DESC) = $looked::bigint AS is_at_bound
    FROM ({found}) found CROSS JOIN LATERAL (SELECT * FROM sends WHERE id = found.id OFFSET 0) s
) looked_at
WHERE is_found OR is_at_bound
ORDER BY found_at DESC, found_id DESC
LIMIT $count::bigint

-- name: of_customer
-- Sends about one customer.
customer_id = $customer::bigint

-- name: open
-- Sends that are not finished.
status IN ('scheduled', 'sending')

-- name: scheduled
-- Open sends that are not due yet.
(status = 'scheduled' AND send_at > now())

-- name: sending
-- Open sends that are due.
(status = 'sending' OR send_at <= now())

-- name: ended
-- Sends that ended with this status.
status NOT IN ('scheduled', 'sending') AND status = '{status}'

-- name: one_batch
-- The batch $batch, among batches b.
b.id = $batch::uuid

-- name: one_schedule
-- The batches of a schedule, among batches b.
b.schedule_id = $schedule::uuid

-- name: from_batches
-- Sends of batches that meet the condition `whose`.
batch_id IN (SELECT b.id FROM batches b WHERE b.business_id = $business::bigint AND {whose})

-- name: with_message
-- Sends with a personal message.
personal_message IS NOT NULL

-- name: says
-- Sends whose personal message contains a text, in upper or lower case.
strpos(lower(personal_message COLLATE "und-x-icu"), lower($q::text COLLATE "und-x-icu")) > 0

-- name: move_charge
-- Counts $4 recipients of business $1 on the day of $3 instead of that of $2, both in UTC, against the
-- quota $5.
SELECT move_due_recipients($1, ($2::timestamptz AT TIME ZONE 'UTC')::date,
                           ($3::timestamptz AT TIME ZONE 'UTC')::date, $4, $5)

-- name: original
-- The data of business $1's send $2 that a resend repeats; locked until the resend is stored.
SELECT customer_id, date_from::text AS start, date_to::text AS end, statement_kind, locale,
       personal_message, copy_to_me, encode(statement_sha256, 'hex') AS statement_sha256,
       encode(figures_sha256, 'hex') AS figures_sha256, now() AS asked_at
FROM sends WHERE business_id = $1 AND id = $2
FOR KEY SHARE

-- name: recipients
-- The recipients of send $1, in order, without erased ones.
SELECT email, email_key FROM deliveries
WHERE send_id = $1 AND email_key NOT LIKE 'erased-%@erased.invalid' ORDER BY position

-- name: doubts
-- At most $4 mails in doubt of business $1 (NULL: of all), oldest first, after the time $2 and the id
-- $3.
SELECT d.id, d.business_id, d.send_id, s.customer_id, d.email, d.attempts, d.reply, d.reason,
       d.reason_code, d.updated_at AS in_doubt_since
FROM deliveries d JOIN sends s ON s.id = d.send_id
WHERE d.state = 'in_doubt' AND ($1::bigint IS NULL OR d.business_id = $1)
  AND (d.updated_at, d.id) > ($2::timestamptz, $3::uuid)
ORDER BY d.updated_at, d.id
LIMIT $4

-- name: is_delivery
-- Whether business $1 (NULL: any) has the delivery $2.
SELECT EXISTS (SELECT FROM deliveries WHERE id = $2 AND ($1::bigint IS NULL OR business_id = $1))
