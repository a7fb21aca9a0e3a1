-- name: lock_sends
-- Every send of customer $2 of business $1, so that nothing of them changes meanwhile.
SELECT id FROM sends WHERE business_id = $1 AND customer_id = $2 ORDER BY id FOR UPDATE

-- name: lock_mails
-- The mails of the sends $1, so that nothing of them changes meanwhile.
SELECT id FROM deliveries WHERE send_id = ANY($1::uuid[]) ORDER BY id FOR UPDATE

-- name: lock_mails_to
-- The mails of business $1 to the address $2 with their sends, so that nothing of them changes meanwhile.
SELECT id, send_id, lower(email) AS written FROM deliveries
WHERE business_id = $1 AND email_key = $2 ORDER BY id FOR UPDATE

-- name: unfinished
-- How many of the mails $1 are not at their end.
SELECT count(*) FROM deliveries
WHERE id = ANY($1::uuid[])
  AND state NOT IN ('sent', 'failed', 'cancelled', 'expired', 'suppressed')

-- name: untold
-- Whether something about the mails $1 or the sends $2 was not published yet.
SELECT EXISTS (SELECT FROM delivery_events WHERE delivery_id = ANY($1::uuid[]) AND published_at IS NULL)
    OR EXISTS (SELECT FROM request_answers WHERE send_id = ANY($2::uuid[]) AND published_at IS NULL)

-- name: addresses
-- Where the mails of the sends $3 went, and where those of customer $2 of business $1 would go,
-- but for addresses that another customer of the business has or was mailed at. As they are compared,
-- and as they were written, but in lower case.
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
-- Answers that are repeated under an Idempotency-Key: those about the sends $2 of business $1, and
-- those that name one of the addresses $3, but are about no send.
DELETE FROM idempotency_keys
WHERE business_id = $1
  AND (send_id = ANY($2::uuid[])
       OR (send_id IS NULL
           AND EXISTS (SELECT FROM unnest($3::text[]) a
                       WHERE strpos(lower(answer), to_json(a)::text) > 0)))

-- name: mask_keys
-- The address $2 in answers about sends of business $1 that are repeated under an Idempotency-Key.
-- The keys stay: a repetition must not send to the others once more.
UPDATE idempotency_keys
SET answer = regexp_replace(answer, '***=' || to_json($2::text)::text, '"erased@erased.invalid"', 'gi')
WHERE business_id = $1 AND strpos(lower(answer), to_json($2::text)::text) > 0

-- name: erase_answers
-- Answers to requests over the queue about the sends $1.
DELETE FROM request_answers WHERE send_id = ANY($1::uuid[])

-- name: mask_answers
-- The address $2 in answers to requests of business $1 over the queue; the answers stay, so that a
-- request which comes twice still finds them.
UPDATE request_answers
SET event = regexp_replace(event, '***=' || to_json($2::text)::text, '"erased@erased.invalid"', 'gi')
WHERE business_id = $1 AND strpos(lower(event), to_json($2::text)::text) > 0

-- name: erase_refusals
-- Answers that refused a request of business $1 over the queue and repeat one of the addresses $2.
DELETE FROM request_answers r
WHERE business_id = $1 AND send_id IS NULL AND published_at IS NOT NULL
  AND EXISTS (SELECT FROM regexp_split_to_table(lower(event), '[][\s"\\<>,;:()]+') word
              WHERE rtrim(word, '.') = ANY($2::text[]))

-- name: erase_suppressions
-- The suppressions of the addresses $2 by business $1.
DELETE FROM suppressions WHERE business_id = $1 AND email_key = ANY($2::text[])

-- name: erase_events
-- What mail servers said of the mails $1.
UPDATE delivery_events SET reply = NULL, reason = NULL WHERE delivery_id = ANY($1::uuid[])

-- name: erase_mails
-- Addresses of the mails $1, and what mail servers said of them.
UPDATE deliveries SET reply = NULL, reason = NULL,
    email = 'erased-' || position || '@erased.invalid',
    email_key = 'erased-' || position || '@erased.invalid'
WHERE id = ANY($1::uuid[])

-- name: erase_statements
-- What the statements of the sends $2 of business $1 say; their digests stay.
UPDATE statements SET content = '{}'
WHERE business_id = $1 AND sha256 IN (SELECT statement_sha256 FROM sends WHERE id = ANY($2::uuid[]))

-- name: erase_sends
-- The messages of the sends $1, and who was left out.
UPDATE sends SET personal_message = NULL, skipped = '[]' WHERE id = ANY($1::uuid[])

-- name: mask_skipped
-- The address $2 among those that were left out of sends of business $1.
UPDATE sends
SET skipped = regexp_replace(skipped::text, '***=' || to_json($2::text)::text,
                             '"erased@erased.invalid"', 'gi')::jsonb
WHERE business_id = $1 AND strpos(lower(skipped::text), to_json($2::text)::text) > 0

-- name: owns
-- Whether the key with the digest $2, valid or not, is of business $1; no row if there is none.
SELECT business_id = $1 FROM api_keys WHERE sha256 = $2
