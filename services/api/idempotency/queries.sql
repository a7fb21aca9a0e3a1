-- name: stored_answer
-- The answer stored under the key $2 of business $1, and the fingerprint of its request.
SELECT fingerprint, status, answer FROM idempotency_keys
WHERE business_id = $1 AND key = $2 AND created_at > now() - interval '24 hours'

-- name: hold_key
-- Whether no other request with the key $2 of business $1 is running; none can until this one ends.
SELECT pg_try_advisory_xact_lock(hashtextextended($2, $1))

-- name: store_answer
-- Stores an answer ($4 its status, $5 its body) to the request $3 under the key $2 of business $1,
-- which is free, or was so 24 hours ago.
INSERT INTO idempotency_keys (business_id, key, fingerprint, status, answer) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (business_id, key) DO UPDATE SET
    fingerprint = excluded.fingerprint, send_id = NULL, status = excluded.status,
    answer = excluded.answer, created_at = excluded.created_at
