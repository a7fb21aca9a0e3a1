-- The outbox of delivery events.

-- name: take_outbox
-- A relay's turn to publish events, for as long as the lease $1; no row while another has it, or
-- where there is nothing to publish.
UPDATE outbox SET turn = turn + 1, lease_until = clock_timestamp() + $1::interval
WHERE lease_until <= clock_timestamp()
  AND EXISTS (SELECT FROM delivery_events WHERE published_at IS NULL)
RETURNING turn

-- name: leave_outbox
-- The turn $1 is over; nothing changes where its lease ran out and another took it.
UPDATE outbox SET lease_until = clock_timestamp() WHERE turn = $1

-- name: unpublished_events
-- The oldest events that subscribers were not told of yet. $1 how many.
SELECT e.id, e.delivery_id, d.send_id, d.business_id, s.customer_id, d.email, e.state, e.attempts,
       e.reply, e.reason, e.occurred_at, s.traceparent,
       CASE WHEN e.state IN ('scheduled', 'deferred') THEN e.due_at END AS next_attempt_at
FROM delivery_events e JOIN deliveries d ON d.id = e.delivery_id JOIN sends s ON s.id = d.send_id
WHERE e.id IN (SELECT id FROM delivery_events WHERE published_at IS NULL ORDER BY id LIMIT $1)
ORDER BY e.id

-- name: events_published
-- The broker has confirmed these events. $1 ids.
UPDATE delivery_events SET published_at = clock_timestamp()
WHERE id = ANY($1::bigint[]) AND published_at IS NULL
