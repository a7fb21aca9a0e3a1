-- name: principal
-- Who holds the key with hash $1: found by its unique index, at every request.
SELECT id, business_id, scopes FROM api_keys WHERE sha256 = $1 AND revoked_at IS NULL

-- name: create
-- Stores key $1 (its hash is $5), unless business $2 does not exist; returns the id where stored.
INSERT INTO api_keys (id, business_id, name, prefix, sha256, scopes)
SELECT $1, id, $3, $4, $5, $6 FROM businesses WHERE id = $2
RETURNING id

-- name: all_keys
-- Every key without the key itself, oldest first.
SELECT id, business_id, name, prefix, scopes, created_at, revoked_at
FROM api_keys ORDER BY created_at, id

-- name: revoke
-- Revokes the keys whose id or prefix is $1; one revoked before keeps its time.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
WHERE id::text = lower($1) OR prefix = $1
RETURNING id
