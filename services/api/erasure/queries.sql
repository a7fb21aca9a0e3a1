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
-- and in the form in which they were written, in lower case. A customer may have a list of addresses, with
-- the signs between them that shared/mail/stored.py knows.
WITH own AS (
    SELECT email_key, lower(email) AS written FROM deliveries WHERE send_id = ANY($3::uuid[])
    UNION
    SELECT address, address
    FROM customers, regexp_split_to_table(lower(business_email), E'[,;\\s\u00a0\u200b\u200e\u200f\u202f\u2060\ufeff]+') address
    WHERE business_id = $1 AND id = $2 AND address <> ''
)
SELECT DISTINCT unnest(ARRAY[email_key, written]) AS address FROM own
WHERE NOT EXISTS (
    SELECT FROM deliveries d JOIN sends s ON s.id = d.send_id
    WHERE d.business_id = $1 AND s.customer_id <> $2 AND d.email_key = own.email_key)
  AND NOT EXISTS (
    SELECT FROM customers c
    WHERE c.business_id = $1 AND c.id <> $2 AND strpos(lower(c.business_email), own.email_key) > 0
      AND own.email_key = ANY(regexp_split_to_array(lower(c.business_email), E'[,;\\s\u00a0\u200b\u200e\u200f\u202f\u2060\ufeff]+')))

-- name: erase_keys
-- Deletes stored answers of Idempotency-Keys: those about the sends $2 of business $1, and those that
-- contain one of the addresses $3 and belong to no send. Those about batches and schedules are masked
-- instead: a repetition must not mail everybody again.
DELETE FROM idempotency_keys
WHERE business_id = $1
  AND (send_id = ANY($2::uuid[])
       OR (send_id IS NULL AND answer !~ '"/api/v3/(batches|schedules)/'
           AND EXISTS (SELECT FROM unnest($3::text[]) a
                       WHERE strpos(lower(answer), to_json(a)::text) > 0)))

-- name: mask_keys
-- Masks the address $2, which the pattern $3 finds, in stored answers of Idempotency-Keys of business $1. The keys
-- stay, because a repetition must not mail the other recipients again.
UPDATE idempotency_keys SET answer = regexp_replace(answer, $3, '\1erased@erased.invalid', 'gi')
WHERE business_id = $1 AND strpos(lower(answer), $2) > 0 AND answer ~* $3

-- name: erase_answers
-- Deletes answers to requests over the queue about the sends $1.
DELETE FROM request_answers WHERE send_id = ANY($1::uuid[])

-- name: mask_answers
-- Masks the address $2, which the pattern $3 finds, in answers to requests of business $1 over the queue. The
-- answers stay, because a copy of the request must get them.
UPDATE request_answers SET event = regexp_replace(event, $3, '\1erased@erased.invalid', 'gi')
WHERE business_id = $1 AND strpos(lower(event), $2) > 0 AND event ~* $3

-- name: erase_refusals
-- Deletes refusals of requests of business $1 over the queue that contain one of the addresses $2.
DELETE FROM request_answers r
WHERE business_id = $1 AND fingerprint IS NULL AND published_at IS NOT NULL
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
UPDATE statements SET content = '{}', logo_sha256 = NULL
WHERE business_id = $1 AND sha256 IN (SELECT statement_sha256 FROM sends WHERE id = ANY($2::uuid[]))

-- name: erase_sends
-- Removes the messages, the skipped addresses and the languages of the sends $1, and the digests of their
-- figures: unlike that of a statement, such a digest could be found again from names and amounts.
UPDATE sends SET personal_message = NULL, skipped = '[]', locale = NULL, figures_sha256 = NULL WHERE id = ANY($1::uuid[])

-- name: mask_skipped
-- Masks the address $2, which the pattern $3 finds, among the skipped addresses of business $1's sends, and in the
-- sentences that say why they were skipped.
UPDATE sends SET skipped = regexp_replace(skipped::text, $3, '\1erased@erased.invalid', 'gi')::jsonb
WHERE business_id = $1 AND strpos(lower(skipped::text), $2) > 0 AND skipped::text ~* $3

-- name: owns
-- Whether the key with the digest $2, valid or not, belongs to business $1; no row if it is unknown.
SELECT business_id = $1 FROM api_keys WHERE sha256 = $2
