-- The suppression list: addresses that a business no longer mails.

-- name: page
-- At most $4 entries of business $1's list, newest first, after the time $2 and the address $3 (NULL:
-- from the newest).
SELECT email_key AS email, reason, reason_code, created_at FROM suppressions
WHERE business_id = $1
  AND ($2::timestamptz IS NULL OR (created_at, email_key) < ($2::timestamptz, $3::text))
ORDER BY created_at DESC, email_key DESC
LIMIT $4

-- name: add
-- Adds the address $2 to business $1's list with the reason $3 and its code $4; returns no row if it is
-- there already.
INSERT INTO suppressions (business_id, email_key, reason, reason_code) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
RETURNING email_key AS email, reason, reason_code, created_at

-- name: one
-- Why business $1 no longer mails the address $2.
SELECT email_key AS email, reason, reason_code, created_at FROM suppressions
WHERE business_id = $1 AND email_key = $2

-- name: lift
-- Removes the address that has one of the keys $2 from business $1's list, and keeps who did it ($3) and why
-- ($4).
WITH lifted AS (
    DELETE FROM suppressions WHERE business_id = $1 AND email_key = ANY ($2::text[])
    RETURNING business_id, email_key, reason, reason_code, created_at
)
INSERT INTO lifted_suppressions (business_id, email_key, reason, reason_code, suppressed_at, lifted_by, why)
SELECT business_id, email_key, reason, reason_code, created_at, $3, $4 FROM lifted
RETURNING email_key

-- name: lifted
-- At most $4 suppressions of business $1 that were lifted, newest first, after the time $2 and the address $3 (NULL:
-- from the newest).
SELECT email_key AS email, reason, reason_code, suppressed_at, lifted_at, lifted_by, why FROM lifted_suppressions
WHERE business_id = $1
  AND ($2::timestamptz IS NULL OR (lifted_at, email_key) < ($2::timestamptz, $3::text))
ORDER BY lifted_at DESC, email_key DESC
LIMIT $4

-- name: recipient
-- The recipient and the business of delivery $1; no row if the address was erased.
SELECT d.business_id, d.email, d.email_key, b.name AS business_name
FROM deliveries d LEFT JOIN businesses b ON b.id = d.business_id
WHERE d.id = $1 AND d.email_key NOT LIKE 'erased-%@erased.invalid'
