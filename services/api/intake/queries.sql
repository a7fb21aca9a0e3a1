-- name: kept_answer
-- The answer of the name $1 to an accepted request, and which request that was.
SELECT event, fingerprint FROM request_answers WHERE event_id = $1

-- name: keep_answer
-- Keeps an answer for the relay to publish; no row comes back where one of that name is kept.
-- $1 name, $2 business, $3 send and $4 its request's fingerprint (NULL: refused), $5 the event as
-- JSON, $6 the trace of the request.
INSERT INTO request_answers (event_id, business_id, send_id, fingerprint, event, traceparent)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (event_id) DO NOTHING
RETURNING id

-- name: take_answers
-- The oldest answers that subscribers were not told of, for as long as the lease $2: whoever takes
-- them and stands still for longer may find that another relay has told of them, too. $1 how many.
WITH waiting AS MATERIALIZED (
    SELECT id FROM request_answers
    WHERE published_at IS NULL AND taken_until <= clock_timestamp()
    ORDER BY id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE request_answers a SET taken_until = clock_timestamp() + $2::interval
FROM waiting WHERE a.id = waiting.id
RETURNING a.id, a.event_id, a.business_id, a.send_id, a.event, a.traceparent

-- name: answers_told
-- The broker has confirmed these answers. $1 ids.
UPDATE request_answers SET published_at = clock_timestamp() WHERE id = ANY($1::bigint[])
