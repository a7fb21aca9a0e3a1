-- name: previewed_send
-- A send's frozen statement and its first recipient. $1 send.
SELECT d.id, d.business_id, d.email, s.created_at, s.personal_message, st.content
FROM sends s
JOIN statements st ON st.business_id = s.business_id AND st.sha256 = s.statement_sha256
JOIN deliveries d ON d.send_id = s.id
WHERE s.id = $1
ORDER BY d.position
LIMIT 1
