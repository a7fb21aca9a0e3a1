-- An operator's transitions and pauses. The README has the rules that all of them keep.

-- name: resolve
-- Resolves a row in doubt; the attempt that left it in doubt can no longer decide. $1 id, $2 its business
-- (NULL: any), $3 the next state (sent, failed, or deferred: due now, with the lateness that its send had
-- at first), $4 the reason, $5 its code.
UPDATE deliveries d SET
    state = $3::text,
    token = token + 1,
    claims = 0,
    reason = $4,
    reason_code = $5,
    due_at = CASE $3::text WHEN 'deferred' THEN clock_timestamp() ELSE d.due_at END,
    expires_at = CASE $3::text WHEN 'deferred'
                      THEN greatest(d.expires_at, clock_timestamp() + (s.expires_at - s.send_at))
                      ELSE d.expires_at END,
    -- If it was handed over, then before it was in doubt.
    sent_at = CASE $3::text WHEN 'sent' THEN d.updated_at END,
    updated_at = clock_timestamp()
FROM sends s
WHERE d.id = $1 AND d.state = 'in_doubt' AND ($2::bigint IS NULL OR d.business_id = $2) AND s.id = d.send_id
RETURNING d.send_id

-- name: quarantine
-- After a restore: due rows may have been sent after the backup, so all become in doubt. The token is raised
-- above every token that may have been used after the backup. Returns their number by former state.
WITH forgotten AS MATERIALIZED (
    SELECT id, state FROM deliveries
    WHERE state IN ('queued', 'sending', 'committing', 'deferred')
       OR state = 'scheduled' AND due_at <= clock_timestamp()
    ORDER BY id
    FOR UPDATE
), doubted AS (
    UPDATE deliveries d SET
        state = 'in_doubt',
        token = token + 1000000,
        reason = 'the database was restored: whether the mail went out after the backup is not known',
        reason_code = 'database_restored',
        lease_until = NULL,
        updated_at = clock_timestamp()
    FROM forgotten WHERE d.id = forgotten.id
    RETURNING forgotten.state
)
SELECT state, count(*) FROM doubted GROUP BY state ORDER BY state

-- name: skip_events
-- After a restore: skips the numbers of events that subscribers may have seen after the backup.
SELECT setval(sequence, nextval(sequence) + 1000000)
FROM (SELECT pg_get_serial_sequence('delivery_events', 'id')::regclass) AS events (sequence)

-- name: pause
-- Pauses the mails of business $1 (NULL: of all).
INSERT INTO pauses (business_id) VALUES ($1) ON CONFLICT DO NOTHING

-- name: resume
-- Ends the pause of business $1 (NULL: the pause of all; those of single businesses stay).
DELETE FROM pauses WHERE business_id IS NOT DISTINCT FROM $1::bigint RETURNING business_id

-- name: pauses
-- The current pauses, the pause of all (NULL) first.
SELECT business_id, paused_at FROM pauses ORDER BY business_id NULLS FIRST

-- name: backlog
-- The number of unfinished deliveries by state, and the due time of the oldest.
SELECT state, count(*), min(due_at) AS oldest_due
FROM deliveries
WHERE state IN ('scheduled', 'deferred')
   OR state IN ('queued', 'sending', 'committing')
   OR state = 'in_doubt'
GROUP BY state ORDER BY state

-- name: wake
-- Wakes the relays, because rows may have become due.
SELECT pg_notify('ledgerpost_due', '')

-- name: cancel
-- Cancels those of the mails $1 that have not passed the gate.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE id = ANY($1::uuid[]) AND state IN ('scheduled', 'queued', 'sending', 'deferred')
    ORDER BY id
    FOR UPDATE
)
UPDATE deliveries d SET
    state = 'cancelled',
    reason = 'cancelled by the operator',
    reason_code = 'cancelled',
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id
RETURNING d.id
