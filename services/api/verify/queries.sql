-- name: statement
-- What the frozen statement with the hash $1 says; no row if there is none, or if it is erased (its content is
-- '{}' then). A number keeps all its digits. The content is read once: each operator of JSON would read megabytes
-- again.
SELECT said.*
FROM statements s
CROSS JOIN LATERAL json_to_record(s.content::json) AS said (
    business json, customer json, branding json, locale text, "from" date, "to" date, generated_at timestamptz,
    closing_balance numeric)
WHERE s.sha256 = $1 AND said.business IS NOT NULL
LIMIT 1
