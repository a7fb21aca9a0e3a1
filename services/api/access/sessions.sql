-- name: begin
-- Begins a session with hash $1 of key $2, which ends after $3. The key's sessions that have expired end, and
-- of the others all but the newest $4 - 1.
WITH ended AS (
    DELETE FROM sessions s USING (
        SELECT sha256, row_number() OVER (ORDER BY created_at DESC, sha256) AS place
        FROM sessions WHERE key_id = $2) of_key
    WHERE s.sha256 = of_key.sha256 AND (of_key.place >= $4 OR s.expires_at <= now())
)
INSERT INTO sessions (sha256, key_id, expires_at) VALUES ($1, $2, now() + $3::interval)

-- name: key_of
-- The hash of the key whose session has hash $1; no row if the session has ended, or its key is revoked.
SELECT k.sha256 FROM sessions s JOIN api_keys k ON k.id = s.key_id
WHERE s.sha256 = $1 AND s.expires_at > now() AND k.revoked_at IS NULL

-- name: finish
-- Ends the session with hash $1.
DELETE FROM sessions WHERE sha256 = $1
