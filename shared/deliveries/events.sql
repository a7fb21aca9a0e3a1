-- The outbox of delivery events.

-- name: take_outbox
-- Starts a relay's turn to publish events, with the lease $1; returns no row while another relay has the
-- turn, or if there is nothing to publish. Events of batches and schedules go out in the same turn.
UPDATE outbox SET turn = turn + 1, lease_until = clock_timestamp() + $1::interval
WHERE lease_until <= clock_timestamp()
  AND (EXISTS (SELECT FROM delivery_events WHERE published_at IS NULL)
       OR EXISTS (SELECT FROM business_events WHERE published_at IS NULL))
RETURNING turn

-- name: leave_outbox
-- Ends the turn $1; changes nothing if its lease expired and another relay took the turn.
UPDATE outbox SET lease_until = clock_timestamp() WHERE turn = $1

-- name: unpublished_events
-- At most $1 of the oldest unpublished events.
SELECT e.id, e.delivery_id, d.send_id, d.business_id, s.customer_id, d.email, e.state, e.attempts,
       e.reply, e.reason, e.reason_code, e.occurred_at, s.traceparent,
       CASE WHEN e.state IN ('scheduled', 'deferred') THEN e.due_at END AS next_attempt_at
FROM delivery_events e JOIN deliveries d ON d.id = e.delivery_id JOIN sends s ON s.id = d.send_id
WHERE e.id IN (SELECT id FROM delivery_events WHERE published_at IS NULL ORDER BY id LIMIT $1)
ORDER BY e.id

-- name: events_published
-- The broker has confirmed these events. $1 ids.
UPDATE delivery_events SET published_at = clock_timestamp()
WHERE id = ANY($1::bigint[]) AND published_at IS NULL
