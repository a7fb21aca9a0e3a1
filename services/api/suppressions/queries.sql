-- Addresses that a business no longer mails.

-- name: page
-- Business $1's list from before the time $2 and the address $3 (NULL: from its begin), newest
-- first; $4 how many.
SELECT email_key AS email, reason, created_at FROM suppressions
WHERE business_id = $1
  AND ($2::timestamptz IS NULL OR (created_at, email_key) < ($2::timestamptz, $3::text))
ORDER BY created_at DESC, email_key DESC
LIMIT $4

-- name: add
-- Business $1 no longer mails the address $2 because of $3; no row where it is on the list already.
INSERT INTO suppressions (business_id, email_key, reason) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING
RETURNING email_key AS email, reason, created_at

-- name: one
-- Why business $1 no longer mails the address $2.
SELECT email_key AS email, reason, created_at FROM suppressions WHERE business_id = $1 AND email_key = $2

-- name: lift
-- Business $1 mails the address $2 again.
DELETE FROM suppressions WHERE business_id = $1 AND email_key = $2 RETURNING email_key

-- name: recipient
-- To whom the delivery $1 goes, and on whose behalf; no row if the address was erased.
SELECT d.business_id, d.email, d.email_key, b.name AS business_name
FROM deliveries d LEFT JOIN businesses b ON b.id = d.business_id
WHERE d.id = $1 AND d.email_key NOT LIKE 'erased-%@erased.invalid'
