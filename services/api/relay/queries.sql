-- name: prune_idempotency_keys
-- Answers are repeated for 24 hours. $1 how many.
DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT $1))

-- name: prune_statements
-- Frozen by a relay that was second, so no send shows them. $1 how many.
DELETE FROM statements s WHERE ctid = ANY(ARRAY(
    SELECT o.ctid FROM statements o
    WHERE o.created_at < now() - interval '1 day'
      AND NOT EXISTS (SELECT FROM sends WHERE business_id = o.business_id AND statement_sha256 = o.sha256)
    LIMIT $1))
