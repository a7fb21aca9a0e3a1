-- A worker's transitions: claim, gate, record. The README has the rules that all of them keep.

-- name: claim
-- Claims queued rows for one attempt each; paused rows become `deferred`, without a claim or an attempt.
-- $1 ids, $2 the lease.
WITH waiting AS MATERIALIZED (
    SELECT d.id, late.*, d.expires_at <= clock_timestamp() AS is_late,
           EXISTS (SELECT FROM pauses p WHERE p.business_id IS NULL OR p.business_id = d.business_id) AS paused
    FROM (SELECT DISTINCT unnest($1::uuid[]) AS id ORDER BY id) asked
    CROSS JOIN LATERAL (
        SELECT id, business_id, state, attempts, reason, expires_at
        FROM deliveries WHERE id = asked.id OFFSET 0 FOR UPDATE) d
    CROSS JOIN LATERAL end_of_late(d.attempts, d.reason) late
    WHERE d.state = 'queued'
), taken AS (
    UPDATE deliveries d SET
        state = CASE WHEN is_late THEN waiting.state
                     WHEN paused THEN 'deferred' ELSE 'sending' END,
        reason = CASE WHEN is_late THEN waiting.reason
                      WHEN paused THEN 'paused by the operator' ELSE d.reason END,
        reason_code = CASE WHEN is_late THEN waiting.reason_code
                           WHEN paused THEN 'paused' ELSE d.reason_code END,
        token = token + 1,
        claims = claims + (NOT paused)::int,
        due_at = CASE WHEN paused THEN clock_timestamp() ELSE due_at END,
        lease_until = CASE WHEN paused THEN NULL ELSE clock_timestamp() + $2::interval END,
        updated_at = clock_timestamp()
    FROM waiting WHERE d.id = waiting.id
    RETURNING d.*
)
SELECT t.id, t.token, t.send_id, t.business_id, t.email, t.attempts, t.created_at,
       s.personal_message, s.statement_sha256
FROM taken t JOIN sends s ON s.id = t.send_id
WHERE t.state = 'sending'

-- name: unknown
-- Those of the ids $1 that do not exist.
SELECT asked.id FROM unnest($1::uuid[]) AS asked (id)
WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.id = asked.id OFFSET 0)

-- name: renew
-- Renews the claims of a worker. $1 ids, $2 tokens, $3 the lease.
WITH mine AS MATERIALIZED (
    SELECT d.id
    FROM (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS claims (id, token) ORDER BY id) held
    CROSS JOIN LATERAL (SELECT id, state, token, lease_until FROM deliveries WHERE id = held.id OFFSET 0 FOR UPDATE) d
    WHERE d.state IN ('sending', 'committing') AND d.token = held.token AND d.lease_until > clock_timestamp()
)
UPDATE deliveries d SET lease_until = clock_timestamp() + $3::interval FROM mine WHERE d.id = mine.id
RETURNING d.id, d.token

-- name: gate
-- The dot gate: from here on a mail counts as handed over. The final dot may be written only for rows that
-- change, and only if the returned rows confirm it: with a pooler that shares sessions, another statement
-- might answer instead. $1 ids, $2 tokens, $3 the lease.
WITH mine AS MATERIALIZED (
    SELECT d.id
    FROM (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS claims (id, token) ORDER BY id) held
    CROSS JOIN LATERAL (SELECT id, state, token, lease_until FROM deliveries WHERE id = held.id OFFSET 0 FOR UPDATE) d
    WHERE d.state = 'sending' AND d.token = held.token AND d.lease_until > clock_timestamp()
)
UPDATE deliveries d SET
    state = 'committing',
    attempts = attempts + 1,
    lease_until = clock_timestamp() + $3::interval,
    updated_at = clock_timestamp()
FROM mine WHERE d.id = mine.id
RETURNING d.id, d.token, d.state

-- name: record
-- Records the outcomes of attempts: the new states (sent, deferred, failed, in_doubt), the delays until
-- the next attempt, whether each counts as an attempt, the replies, the reasons and their codes. If the
-- smarthost reported that the address does not exist, the business suppresses it.
-- A single statement, so that a worker that hangs here holds no lock.
-- An outcome also settles a row that the sweeper marked as in doubt, while its token is the same.
-- The outcomes may include those of an earlier and of the valid claim on one row: `mine` are the valid ones.
WITH verdicts AS (
    SELECT * FROM unnest($ids::uuid[], $tokens::bigint[], $states::text[], $delays::interval[],
                         $counts::boolean[], $replies::text[], $reasons::text[],
                         $reason_codes::text[], $suppress::boolean[])
        AS v (id, token, state, delay, counts, reply, reason, reason_code, suppress)
), mine AS MATERIALIZED (
    SELECT v.*
    FROM (SELECT * FROM verdicts ORDER BY id) v
    CROSS JOIN LATERAL (SELECT id, state, token FROM deliveries WHERE id = v.id OFFSET 0 FOR UPDATE) d
    WHERE d.token = v.token
      AND (d.state IN ('sending', 'committing') OR d.state = 'in_doubt' AND v.state IN ('sent', 'failed', 'deferred'))
), recorded AS (
UPDATE deliveries d SET
    state = v.state,
    -- The gate has counted an attempt that reached it.
    attempts = attempts + (d.state = 'sending' AND v.counts)::int - (d.state <> 'sending' AND NOT v.counts)::int,
    claims = 0,
    reply = coalesce(v.reply, d.reply),
    reason = v.reason,
    reason_code = v.reason_code,
    due_at = CASE v.state WHEN 'deferred' THEN least(clock_timestamp() + v.delay, d.expires_at) ELSE d.due_at END,
    sent_at = CASE v.state WHEN 'sent' THEN clock_timestamp() END,
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM mine v WHERE d.id = v.id AND d.token = v.token
RETURNING d.id, d.token, d.state, d.business_id, d.email_key, v.suppress,
          coalesce(v.reply, v.reason, 'refused') AS suppress_reason
), suppressed AS (
    INSERT INTO suppressions (business_id, email_key, reason, reason_code)
    SELECT business_id, email_key, suppress_reason, 'suppressed_recipient_unknown'
    FROM recorded
    WHERE suppress
    ON CONFLICT DO NOTHING
)
SELECT id, token, state FROM recorded

-- name: postpone
-- Defers queued rows that no worker can send now. $1 ids, $2 delay, $3 the reason, $4 its code.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries WHERE id = ANY($1::uuid[]) AND state = 'queued' ORDER BY id FOR UPDATE
)
UPDATE deliveries d SET
    state = 'deferred',
    reason = $3,
    reason_code = $4,
    lease_until = NULL,
    due_at = clock_timestamp() + $2::interval,
    updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id

-- name: statements
-- The statements of claimed deliveries. $1 businesses, $2 hashes.
SELECT business_id, sha256, content
FROM unnest($1::bigint[], $2::bytea[]) AS claimed (business_id, sha256) JOIN statements USING (business_id, sha256)

-- name: logos
-- The logos that claimed statements name. $1 businesses, $2 hashes.
SELECT business_id, sha256, png
FROM unnest($1::bigint[], $2::bytea[]) AS named (business_id, sha256) JOIN logos USING (business_id, sha256)
