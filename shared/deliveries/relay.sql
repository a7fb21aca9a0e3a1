-- The relay's transitions: queues due rows, and reclaims rows from vanished workers. The README has the
-- rules that all of them keep.

-- name: enqueue
-- Changes due rows from `scheduled` or `deferred` to `queued`, or to a final state if they are too late or
-- suppressed; paused rows stay. $1 is the number of rows that the queue should hold, $2 the time after which
-- an unclaimed row is published again. Businesses take turns: each one with due rows may have an equal share
-- of the queue, and at least one row. Considers the 1,000 longest due rows of each business, and 500
-- businesses: those with the fewest rows in the queue, and among those the ones that have waited longest.
-- Rows that are in the queue for ten times $2 do not count against the share of their business: while others
-- fill the queue, lost wake-ups are not published again.
-- Returns the number of rows in the queue before, the ids that entered it (one of each business before the
-- second of any), the number of rows that moved, and whether a business has used its share.
WITH in_queue AS MATERIALIZED (
    SELECT business_id, count(*) AS rows,
           count(*) FILTER (WHERE lease_until > now() - 9 * $2::interval) AS in_room
    FROM deliveries WHERE state = 'queued' GROUP BY business_id
), heads AS (
    SELECT business_id, coalesce(q.in_room, 0) AS in_room
    FROM due_businesses() b LEFT JOIN in_queue q USING (business_id)
    ORDER BY coalesce(q.in_room, 0), b.due_at, business_id
    LIMIT 500
), turns AS MATERIALIZED (
    SELECT business_id, greatest(0, greatest(1, $1 / count(*) OVER ()) - in_room) AS room FROM heads
), due AS MATERIALIZED (
    SELECT t.business_id, one.id
    FROM turns t CROSS JOIN LATERAL (
        SELECT row.id
        FROM (SELECT id, send_id FROM deliveries
              WHERE business_id = t.business_id AND state IN ('scheduled', 'deferred') AND due_at <= now()
              ORDER BY business_id, due_at, id
              LIMIT 1000) head
        CROSS JOIN LATERAL (
            SELECT id, state, due_at FROM deliveries WHERE id = head.id OFFSET 0 FOR UPDATE SKIP LOCKED) row
        WHERE EXISTS (SELECT FROM sends s WHERE s.id = head.send_id AND s.statement_sha256 IS NOT NULL OFFSET 0)
          AND row.state IN ('scheduled', 'deferred') AND row.due_at <= now()
        LIMIT t.room) one
), moved AS (
    UPDATE deliveries d SET
        state = fate.state,
        reason = coalesce(fate.reason, d.reason),
        reason_code = coalesce(fate.reason_code, d.reason_code),
        emissions = 1,
        published_at = NULL,
        lease_until = CASE fate.state WHEN 'queued' THEN clock_timestamp() + $2::interval END,
        updated_at = clock_timestamp()
    FROM deliveries old, LATERAL end_of_late(old.attempts, old.reason) late, LATERAL (
        SELECT CASE WHEN old.expires_at <= now() THEN late.state
                    WHEN suppressed.why IS NOT NULL THEN 'suppressed'
                    ELSE 'queued' END AS state,
               CASE WHEN old.expires_at <= now() THEN late.reason ELSE suppressed.why[1] END AS reason,
               CASE WHEN old.expires_at <= now() THEN late.reason_code ELSE suppressed.why[2] END AS reason_code
        FROM (SELECT (SELECT ARRAY[s.reason, s.reason_code] FROM suppressions s
                      WHERE s.business_id = old.business_id AND s.email_key = old.email_key) AS why
              OFFSET 0) suppressed
    ) fate
    -- An array, because a join of unknown size may read all deliveries.
    WHERE d.id = ANY(ARRAY(SELECT id FROM due)) AND old.id = d.id
    RETURNING d.id, d.state, d.business_id, d.due_at
), in_turn AS (
    SELECT *, row_number() OVER (PARTITION BY business_id ORDER BY due_at, id) AS turn FROM moved
)
SELECT (SELECT coalesce(sum(rows), 0)::int FROM in_queue) AS before,
       coalesce(array_agg(id ORDER BY turn, due_at, id) FILTER (WHERE state = 'queued'), '{}') AS queued,
       count(*)::int AS moved,
       EXISTS (SELECT FROM turns t WHERE t.room <= (SELECT count(*) FROM due WHERE due.business_id = t.business_id))
           AS is_full
FROM in_turn

-- name: origins
-- The businesses of these deliveries, and the traces of their sends, if they have one. $1 ids.
SELECT d.id, d.business_id, s.traceparent FROM deliveries d JOIN sends s ON s.id = d.send_id
WHERE d.id = ANY($1::uuid[])

-- name: confirm
-- The broker has confirmed these messages.
WITH told AS MATERIALIZED (
    SELECT d.id
    FROM (SELECT unnest($1::uuid[]) AS id ORDER BY id) asked
    CROSS JOIN LATERAL (SELECT id, state FROM deliveries WHERE id = asked.id OFFSET 0 FOR UPDATE) d
    WHERE d.state = 'queued'
)
UPDATE deliveries d SET published_at = clock_timestamp() FROM told WHERE d.id = told.id

-- name: retry_soon
-- The broker did not confirm these messages: the next sweep publishes them again.
WITH refused AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE id = ANY($1::uuid[]) AND state = 'queued' AND published_at IS NULL
    ORDER BY id
    FOR UPDATE
)
UPDATE deliveries d SET lease_until = clock_timestamp() FROM refused WHERE d.id = refused.id

-- name: next_due
-- The time until the next row is due; no row if none waits or all waiting ones are paused.
SELECT due_at - clock_timestamp() FROM deliveries
WHERE state IN ('scheduled', 'deferred')
  AND NOT EXISTS (SELECT FROM pauses WHERE business_id IS NULL)
  AND NOT EXISTS (SELECT FROM pauses p WHERE p.business_id = deliveries.business_id OFFSET 0)
ORDER BY due_at, id
LIMIT 1

-- name: reemit
-- At most $1 queued rows that were not claimed in time, to publish again after growing waits. $2 is the first
-- wait, $3 whether the queue is empty: while it contains messages, only unconfirmed rows are stale.
WITH stale AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE state = 'queued' AND lease_until <= now() AND ($3 OR published_at IS NULL)
    ORDER BY lease_until, id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET
    emissions = emissions + 1,
    published_at = NULL,
    lease_until = clock_timestamp() + $2::interval * power(2, least(emissions, 6)),
    updated_at = clock_timestamp()
FROM stale WHERE d.id = stale.id
RETURNING d.id

-- name: reclaim
-- Reclaims at most $1 rows whose worker vanished before the gate. Nothing was handed over, so they are due
-- again, or failed after too many claims ($2) without an outcome. From the second claim on they come back one
-- by one, so that a mail that crashes its workers does not affect the others each time.
WITH lost AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE state = 'sending' AND lease_until <= now()
    ORDER BY lease_until, id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET
    state = CASE WHEN claims >= $2 THEN 'failed' ELSE 'deferred' END,
    reason = CASE WHEN claims >= $2 THEN 'crashed: ' || claims || ' claims came to no outcome'
                  ELSE 'the worker that held it vanished' END,
    reason_code = CASE WHEN claims >= $2 THEN 'worker_crashed' ELSE 'worker_lost' END,
    token = token + 1,
    lease_until = NULL,
    due_at = clock_timestamp() + random() * (claims - 1) * interval '2 seconds',
    updated_at = clock_timestamp()
FROM lost WHERE d.id = lost.id
RETURNING d.id

-- name: expire
-- Expires at most $1 rows that no worker claimed in time; for their messages there is nothing to claim.
WITH late AS MATERIALIZED (
    SELECT id, attempts, reason FROM deliveries
    WHERE state = 'queued' AND expires_at <= now()
    ORDER BY lease_until, id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET
    state = ended.state,
    reason = ended.reason,
    reason_code = ended.reason_code,
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM late, LATERAL end_of_late(late.attempts, late.reason) ended WHERE d.id = late.id
RETURNING d.id

-- name: doubt
-- Marks at most $1 rows as in doubt whose worker vanished after the gate: the smarthost may or may not have
-- the mail. The token stays the same, so that a late reply to the same attempt still decides.
WITH lost AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE state = 'committing' AND lease_until <= now()
    ORDER BY lease_until, id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET
    state = 'in_doubt',
    reason = 'the worker vanished after handing the mail over; no reply was recorded',
    reason_code = 'worker_lost_after_dot',
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM lost WHERE d.id = lost.id
RETURNING d.id

-- name: resend_in_doubt
-- IN_DOUBT_POLICY=resend: makes at most $1 rows due again that are in doubt for longer than any reply could
-- take ($2); the old attempt can no longer decide.
WITH doubted AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE state = 'in_doubt' AND updated_at <= now() - $2::interval AND expires_at > now()
    ORDER BY updated_at, id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET
    state = 'deferred',
    reason = 'in doubt, and then sent again by IN_DOUBT_POLICY',
    reason_code = 'resolved_to_resend',
    token = token + 1,
    due_at = clock_timestamp(),
    updated_at = clock_timestamp()
FROM doubted WHERE d.id = doubted.id
RETURNING d.id

-- name: abandon
-- Fails the waiting rows of send $1 with the reason $2 and its code $3, because no statement can be made for
-- it.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries WHERE send_id = $1 AND state IN ('scheduled', 'deferred') ORDER BY id FOR UPDATE
)
UPDATE deliveries d SET state = 'failed', reason = $2, reason_code = $3, updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id

-- name: put_off
-- Defers the due rows of send $1 for $2, with the reason $3, until they expire, because its statement
-- cannot be made at the moment.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE send_id = $1 AND state IN ('scheduled', 'deferred') AND due_at <= now()
    ORDER BY id
    FOR UPDATE
)
UPDATE deliveries d SET
    state = CASE WHEN expires_at <= now() THEN 'failed' ELSE 'deferred' END,
    reason = $3,
    reason_code = 'statement_not_frozen',
    due_at = clock_timestamp() + $2::interval,
    updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id

-- name: unfrozen
-- The sends of the longest due deliveries whose statement is not frozen yet. Considers $1 deliveries, an equal
-- share of each business that is not paused, and at least one.
SELECT s.id, s.business_id, s.customer_id, s.date_from, s.date_to, s.statement_kind, s.locale
FROM (SELECT DISTINCT head.send_id
      FROM (SELECT business_id, greatest(1, $1 / count(*) OVER ()) AS part
            FROM (SELECT business_id
                  FROM due_businesses() b
                  LEFT JOIN (SELECT business_id, count(*) AS rows FROM deliveries WHERE state = 'queued'
                             GROUP BY business_id) q USING (business_id)
                  ORDER BY coalesce(q.rows, 0), b.due_at, business_id
                  LIMIT $1) first) turns
      CROSS JOIN LATERAL (
          SELECT send_id FROM deliveries
          WHERE business_id = turns.business_id AND state IN ('scheduled', 'deferred') AND due_at <= now()
          ORDER BY business_id, due_at, id
          LIMIT turns.part) head) due
CROSS JOIN LATERAL (SELECT * FROM sends WHERE id = due.send_id OFFSET 0) s
WHERE s.statement_sha256 IS NULL
