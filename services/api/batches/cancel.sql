-- What cancels a batch and its mails.

-- name: hold
-- The phase of batch $2 of business $1, which stays until the transaction ends.
SELECT phase FROM batches WHERE business_id = $1 AND id = $2 FOR NO KEY UPDATE

-- name: cancel
-- Begins to cancel batch $1. One that failed keeps its reason.
UPDATE batches SET
    phase = CASE phase WHEN 'failed' THEN phase ELSE 'cancelled' END,
    reason = CASE phase WHEN 'failed' THEN reason END,
    reason_code = CASE phase WHEN 'failed' THEN reason_code END,
    is_cancelling = true,
    updated_at = clock_timestamp()
WHERE id = $1

-- name: still_cancelling
-- Says that a process still cancels the mails of batch $1.
UPDATE batches SET updated_at = clock_timestamp() WHERE id = $1 AND is_cancelling

-- name: cancelled
-- Says that every mail of batch $1 that could be cancelled is. While one is at the smarthost, which may refuse it for
-- now, the relay looks again, or it would be tried once more after the cancel.
UPDATE batches SET
    is_cancelling = EXISTS (
        SELECT FROM deliveries
        WHERE batch_id = $1 AND state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred')),
    updated_at = clock_timestamp()
WHERE id = $1 AND is_cancelling

-- name: left
-- A batch whose cancel has not gone on for $1, because its process ended or a mail was at the smarthost.
SELECT id FROM batches
WHERE is_cancelling AND updated_at < clock_timestamp() - $1::interval
ORDER BY updated_at
LIMIT 1
