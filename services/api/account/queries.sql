-- name: account
-- The business $1 and its key $2, with the recipients that are due today (in UTC).
SELECT b.id AS business_id, b.name AS business_name, b.currency, b.timezone, b.fiscal_year_start, b.locale,
       k.id AS key_id, k.name AS key_name, k.scopes, k.expires_at,
       (SELECT coalesce(sum(used), 0) FROM due_recipients
        WHERE business_id = b.id AND day = (now() AT TIME ZONE 'UTC')::date) AS due_today
FROM businesses b JOIN api_keys k ON k.business_id = b.id
WHERE b.id = $1 AND k.id = $2
