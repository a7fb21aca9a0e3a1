-- name: lock_sends
-- Locks every send of customer $2 of business $1.
SELECT id FROM sends WHERE business_id = $1 AND customer_id = $2 ORDER BY id FOR UPDATE

-- name: lock_mails
-- Locks the mails of the sends $1.
SELECT id FROM deliveries WHERE send_id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- name: lock_mails_to
-- Locks the mails of business $1 to the address $2, and their sends.
SELECT id, send_id, lower(email) AS written FROM deliveries
WHERE business_id = $1 AND email_key = $2 ORDER BY id FOR UPDATE

-- name: unfinished
-- The number of unfinished mails among $1.
SELECT count(*) FROM deliveries
WHERE id = ANY($1::uuid[])
  AND state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred', 'in_doubt')

-- name: untold
-- Whether an event of the mails $1 or an answer about the sends $2 is not published yet.
SELECT EXISTS (SELECT FROM delivery_events WHERE delivery_id = ANY($1::uuid[]) AND published_at IS NULL)
    OR EXISTS (SELECT FROM request_answers WHERE send_id = ANY($2::uuid[]) AND published_at IS NULL)

-- name: addresses
-- The addresses of the mails of the sends $3, and those of customer $2 of business $1, without addresses
-- that another customer of the business has or was mailed at. Both in the form in which they are compared
-- and in the form in which they were written, in lower case.
SELECT DISTINCT unnest(ARRAY[email_key, written]) AS address FROM (
    SELECT email_key, lower(email) AS written FROM deliveries WHERE send_id = ANY($3::uuid[])
    UNION
    SELECT lower(business_email), lower(business_email) FROM customers
    WHERE business_id = $1 AND id = $2 AND business_email <> ''
) own
WHERE NOT EXISTS (
    SELECT FROM deliveries d JOIN sends s ON s.id = d.send_id
    WHERE d.business_id = $1 AND s.customer_id <> $2 AND d.email_key = own.email_key)
  AND NOT EXISTS (
    SELECT FROM customers c
    WHERE c.business_id = $1 AND c.id <> $2 AND lower(c.business_email) = own.email_key)

-- name: erase_keys
-- Deletes stored answers of Idempotency-Keys: those about the sends $2 of business $1, and those that
-- contain one of the addresses $3 and belong to no send.
DELETE FROM idempotency_keys
WHERE business_id = $1
  AND (send_id = ANY($2::uuid[])
       OR (send_id IS NULL
           AND EXISTS (SELECT FROM unnest($3::text[]) a
                       WHERE strpos(lower(answer), to_json(a)::text) > 0)))

-- name: mask_keys
-- Masks the address $2 in stored answers of Idempotency-Keys of business $1. The keys stay, because a
-- repetition must not mail the other recipients again.
UPDATE idempotency_keys
SET answer = regexp_replace(answer, '***=' || to_json($2::text)::text, '"erased@erased.invalid"', 'gi')
WHERE business_id = $1 AND strpos(lower(answer), to_json($2::text)::text) > 0

-- name: erase_answers
-- Deletes answers to requests over the queue about the sends $1.
DELETE FROM request_answers WHERE send_id = ANY($1::uuid[])

-- name: mask_answers
-- Masks the address $2 in answers to requests of business $1 over the queue. The answers stay, because a
-- copy of the request must get them.
UPDATE request_answers
SET event = regexp_replace(event, '***=' || to_json($2::text)::text, '"erased@erased.invalid"', 'gi')
WHERE business_id = $1 AND strpos(lower(event), to_json($2::text)::text) > 0

-- name: erase_refusals
-- Deletes refusals of requests of business $1 over the queue that contain one of the addresses $2.
DELETE FROM request_answers r
WHERE business_id = $1 AND send_id IS NULL AND published_at IS NOT NULL
  AND EXISTS (SELECT FROM regexp_split_to_table(lower(event), '[][\s"\\<>,;:()]+') word
              WHERE rtrim(word, '.') = ANY($2::text[]))

-- name: erase_suppressions
-- Deletes the suppressions of the addresses $2 by business $1.
DELETE FROM suppressions WHERE business_id = $1 AND email_key = ANY($2::text[])

-- name: erase_events
-- Removes the replies of mail servers from the events of the mails $1.
UPDATE delivery_events SET reply = NULL, reason = NULL, reason_code = NULL WHERE delivery_id = ANY($1::uuid[])

-- name: erase_mails
-- Removes the addresses of the mails $1, and the replies of mail servers.
UPDATE deliveries SET reply = NULL, reason = NULL, reason_code = NULL,
    email = 'erased-' || position || '@erased.invalid',
    email_key = 'erased-' || position || '@erased.invalid'
WHERE id = ANY($1::uuid[])

-- name: erase_statements
-- Removes the content of the statements of the sends $2 of business $1; their digests stay.
UPDATE statements SET content = '{}'
WHERE business_id = $1 AND sha256 IN (SELECT statement_sha256 FROM sends WHERE id = ANY($2::uuid[]))

-- name: erase_sends
-- Removes the messages and the skipped addresses of the sends $1.
UPDATE sends SET personal_message = NULL, skipped = '[]' WHERE id = ANY($1::uuid[])

-- name: mask_skipped
-- Masks the address $2 among the skipped addresses of business $1's sends.
UPDATE sends
SET skipped = regexp_replace(skipped::text, '***=' || to_json($2::text)::text,
                             '"erased@erased.invalid"', 'gi')::jsonb
WHERE business_id = $1 AND strpos(lower(skipped::text), to_json($2::text)::text) > 0

-- name: owns
-- Whether the key with the digest $2, valid or not, belongs to business $1; no row if it is unknown.
SELECT business_id = $1 FROM api_keys WHERE sha256 = $2
