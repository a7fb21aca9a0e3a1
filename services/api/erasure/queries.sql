-- name: lock_sends
-- Every send of customer $2 of business $1, so that nothing of them changes meanwhile.
SELECT id FROM sends WHERE business_id = $1 AND customer_id = $2 ORDER BY id FOR UPDATE

-- name: unfinished
-- How many mails of the sends $1 are not at their end, or have an event that was not told yet.
SELECT count(*) FROM deliveries d
WHERE d.send_id = ANY($1::uuid[])
  AND (d.state NOT IN ('sent', 'failed', 'cancelled', 'expired', 'suppressed')
       OR EXISTS (SELECT FROM delivery_events e WHERE e.delivery_id = d.id AND e.published_at IS NULL))

-- name: untold
-- How many answers about the sends $1 were not told yet.
SELECT count(*) FROM request_answers WHERE send_id = ANY($1::uuid[]) AND published_at IS NULL

-- name: addresses
-- Where the mails of the sends $3 went, and where those of customer $2 of business $1 would go,
-- but for addresses that another customer of the business has or was mailed at.
SELECT DISTINCT email_key FROM (
    SELECT email_key FROM deliveries WHERE send_id = ANY($3::uuid[])
    UNION
    SELECT lower(business_email) FROM customers
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
-- those that name one of the addresses $3.
DELETE FROM idempotency_keys
WHERE business_id = $1
  AND (send_id = ANY($2::uuid[])
       OR EXISTS (SELECT FROM unnest($3::text[]) a WHERE strpos(lower(answer), a) > 0))

-- name: erase_answers
-- Answers to requests over the queue about the sends $1.
DELETE FROM request_answers WHERE send_id = ANY($1::uuid[])

-- name: erase_suppressions
-- The suppressions of the addresses $2 by business $1.
DELETE FROM suppressions WHERE business_id = $1 AND email_key = ANY($2::text[])

-- name: erase_events
-- What mail servers said of the mails of the sends $1.
UPDATE delivery_events e SET reply = NULL, reason = NULL
FROM deliveries d WHERE d.id = e.delivery_id AND d.send_id = ANY($1::uuid[])

-- name: erase_deliveries
-- Addresses of the mails of the sends $1, and what mail servers said of them.
UPDATE deliveries SET reply = NULL, reason = NULL,
    email = 'erased-' || position || '@erased.invalid',
    email_key = 'erased-' || position || '@erased.invalid'
WHERE send_id = ANY($1::uuid[])

-- name: erase_statements
-- What the statements of the sends $2 of business $1 say; their digests stay.
UPDATE statements SET content = '{}'
WHERE business_id = $1 AND sha256 IN (SELECT statement_sha256 FROM sends WHERE id = ANY($2::uuid[]))

-- name: erase_sends
-- The messages of the sends $1, and who was left out.
UPDATE sends SET personal_message = NULL, skipped = '[]' WHERE id = ANY($1::uuid[])
