-- A caller's transitions: cancel and reschedule. The README has the rules that all of them keep.

-- name: cancel
-- Cancels the mails of business $1's send $2 that have not passed the gate.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE business_id = $1 AND send_id = $2
      AND state IN ('scheduled', 'queued', 'sending', 'deferred')
    ORDER BY id
    FOR UPDATE
)
UPDATE deliveries d SET
    state = 'cancelled',
    reason = 'cancelled on request',
    reason_code = 'cancelled',
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id
RETURNING d.id

-- name: hold
-- Locks the waiting mails of business $1's send $2 until the transaction ends.
SELECT FROM deliveries
WHERE business_id = $1 AND send_id = $2 AND state IN ('scheduled', 'queued', 'deferred')
ORDER BY id
FOR UPDATE

-- name: reschedule
-- Sets a new due time ($3) and expiry ($4) for the waiting mails of business $1's send $2, and wakes the
-- relays. Returns the number of mails, and the former due time of the send. For a row that leaves the
-- queue, the mailer finds nothing to claim.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE business_id = $1 AND send_id = $2 AND state IN ('scheduled', 'queued', 'deferred')
    ORDER BY id
    FOR UPDATE
), moved AS (
    UPDATE deliveries d SET
        state = CASE WHEN d.attempts = 0 AND d.state <> 'deferred' THEN 'scheduled' ELSE 'deferred' END,
        due_at = $3,
        expires_at = $4,
        lease_until = NULL,
        updated_at = clock_timestamp()
    FROM waiting WHERE d.id = waiting.id
    RETURNING d.id
), told AS (
    UPDATE sends SET send_at = $3, expires_at = $4
    WHERE id = $2 AND EXISTS (SELECT FROM moved)
    RETURNING pg_notify('ledgerpost_due', '')
)
SELECT (SELECT count(*)::int FROM moved) AS moved,
       (SELECT send_at FROM sends WHERE id = $2) AS was_due
FROM (SELECT count(*) FROM told) AS woken

-- name: cancel_some
-- Cancels at most $2 of the mails of the batch $1 that have not passed the gate: first those that are with a worker
-- or on the way to one, and then the others in the order in which the relay would queue them. Returns how many mails
-- were found, and how many of them are cancelled; the others have passed the gate meanwhile.
WITH found AS MATERIALIZED (
    SELECT id FROM (
        (SELECT id FROM deliveries WHERE batch_id = $1 AND state = 'sending' ORDER BY id LIMIT $2)
        UNION ALL
        (SELECT id FROM deliveries WHERE batch_id = $1 AND state = 'queued' ORDER BY id LIMIT $2)
        UNION ALL
        (SELECT id FROM deliveries WHERE batch_id = $1 AND state = 'scheduled' ORDER BY id LIMIT $2)
        UNION ALL
        (SELECT id FROM deliveries WHERE batch_id = $1 AND state = 'deferred' ORDER BY id LIMIT $2)
    ) open
    LIMIT $2
), waiting AS MATERIALIZED (
    SELECT d.id
    FROM (SELECT id FROM found ORDER BY id) named
    CROSS JOIN LATERAL (SELECT id, state FROM deliveries WHERE id = named.id OFFSET 0 FOR UPDATE) d
    WHERE d.state IN ('scheduled', 'queued', 'sending', 'deferred')
), cancelled AS (
    UPDATE deliveries d SET
        state = 'cancelled',
        reason = 'cancelled on request',
        reason_code = 'cancelled',
        lease_until = NULL,
        updated_at = clock_timestamp()
    -- An array, because a join of unknown size may read all deliveries.
    WHERE d.id = ANY(ARRAY(SELECT id FROM waiting))
    RETURNING d.id
)
SELECT (SELECT count(*)::int FROM found) AS found, (SELECT count(*)::int FROM cancelled) AS cancelled
