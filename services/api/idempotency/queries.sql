-- name: kept
-- The answer stored under the key $2 of business $1, and the fingerprint of its request.
SELECT fingerprint, status, answer FROM idempotency_keys
WHERE business_id = $1 AND key = $2 AND created_at > now() - interval '24 hours'

-- name: hold_key
-- Locks the key $2 of business $1 until the transaction ends; false if another request holds it.
SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1))

-- name: keep
-- Stores an answer ($4 its status, $5 its body) to the request $3 under the key $2 of business $1, which
-- is new or older than 24 hours.
INSERT INTO idempotency_keys (business_id, key, fingerprint, status, answer) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (business_id, key) DO UPDATE SET
    fingerprint = excluded.fingerprint, send_id = NULL, status = excluded.status,
    answer = excluded.answer, created_at = excluded.created_at
