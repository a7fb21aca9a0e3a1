-- name: wait_for_copies
-- Waits until no other copy of the request whose answer has the event id $1 is being handled; none is until
-- this transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended($1, 0))

-- name: stored_answer
-- The answer with the event id $1 to an accepted request, and the fingerprint of that request.
SELECT event, fingerprint FROM request_answers WHERE event_id = $1

-- name: store_answer
-- Stores an answer for the relay to publish; no row comes back if one with that event id is stored.
-- Without a send or a batch, and the fingerprint of its request, the request was refused.
INSERT INTO request_answers (event_id, business_id, send_id, batch_id, fingerprint, event, traceparent)
VALUES ($event_id, $business, $send, $batch, $fingerprint, $event, $trace)
ON CONFLICT (event_id) DO NOTHING
RETURNING id

-- name: take_answers
-- Takes at most $1 of the oldest unpublished answers, with a lease of $2: if a relay hangs for longer,
-- another one may publish them, too.
WITH waiting AS MATERIALIZED (
    SELECT id FROM request_answers
    WHERE published_at IS NULL AND taken_until <= clock_timestamp()
    ORDER BY id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE request_answers a SET taken_until = clock_timestamp() + $2::interval
FROM waiting WHERE a.id = waiting.id
RETURNING a.id, a.event_id, a.business_id, a.event, a.traceparent

-- name: answers_told
-- The broker has confirmed these answers. $1 ids.
UPDATE request_answers SET published_at = clock_timestamp() WHERE id = ANY($1::bigint[])
