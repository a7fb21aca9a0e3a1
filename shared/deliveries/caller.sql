-- A caller's transitions: what a business may still change about a send. The README has the rules that
-- all of them keep.

-- name: cancel
-- Cancels what has not passed the gate yet of business $1's send $2.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE business_id = $1 AND send_id = $2
      AND state IN ('scheduled', 'queued', 'sending', 'deferred')
    ORDER BY id
    FOR UPDATE
)
UPDATE deliveries d SET state = 'cancelled', lease_until = NULL, updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id
  AND d.state IN ('scheduled', 'queued', 'sending', 'deferred')
RETURNING d.id

-- name: hold
-- Keeps what waits of business $1's send $2 from everybody else until the transaction ends.
SELECT FROM deliveries
WHERE business_id = $1 AND send_id = $2 AND state IN ('scheduled', 'queued', 'deferred')
ORDER BY id
FOR UPDATE

-- name: reschedule
-- Gives what waits of business $1's send $2 another due time ($3) and expiry ($4) and wakes the relays.
-- Returns how many mails moved, and when the send was due before. A wake-up of a row that leaves the
-- queue finds nothing to claim.
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
