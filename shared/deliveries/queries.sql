-- The transitions of a delivery. Each is one conditional UPDATE that names the state (and, where a
-- worker holds the row, the token) that it leaves; a row that does not change is somebody else's.
-- Rows are locked in the order of their ids, except where SKIP LOCKED makes waiting impossible.
-- OFFSET 0 keeps the planner from joining in another order: whatever the
-- statistics say of tables whose rows change their state all the time, due rows are read in the order
-- in which they are due, and rows that are named are found by their ids.

-- name: enqueue
-- Due rows leave `scheduled` or `deferred` for the queue, or end here where it is too late for them;
-- those that are paused stay.
-- $1 how many rows the queue should hold, $2 how long the broker may hold one before it is published
-- again. The room is shared by turns: each business with due rows may have an equal part of it in the
-- queue, and one row at least. Of each business the 1,000 longest due rows are looked at, and of the
-- businesses 500: those that have the fewest in the queue, and among those who has waited longest.
-- What lies there ten times as long as $2 takes no room of its business: while others fill the queue,
-- nobody publishes again what the broker lost.
-- Returns how many rows were in the queue before, the ids that entered it (one of each business before
-- the second of any), how many rows moved, and whether a business has filled its part.
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
        emissions = 1,
        published_at = NULL,
        lease_until = CASE fate.state WHEN 'queued' THEN clock_timestamp() + $2::interval END,
        updated_at = clock_timestamp()
    FROM deliveries old, LATERAL (
        SELECT CASE WHEN old.expires_at <= now() AND old.attempts = 0 THEN 'expired'
                    WHEN old.expires_at <= now() THEN 'failed'
                    WHEN suppressed.reason IS NOT NULL THEN 'suppressed'
                    ELSE 'queued' END AS state,
               CASE WHEN old.expires_at <= now() AND old.attempts = 0 THEN 'not sent before it expired'
                    WHEN old.expires_at <= now() THEN 'gave up when it expired: ' || coalesce(old.reason, 'no reason recorded')
                    ELSE suppressed.reason END AS reason
        FROM (SELECT (SELECT s.reason FROM suppressions s
                      WHERE s.business_id = old.business_id AND s.email_key = old.email_key) AS reason
              OFFSET 0) suppressed
    ) fate
    -- An array, because a join of unknown size may read all deliveries there are.
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

-- name: traces
-- The traces that these deliveries belong to, where their sends have one. $1 ids.
SELECT d.id, s.traceparent FROM deliveries d JOIN sends s ON s.id = d.send_id
WHERE d.id = ANY($1::uuid[]) AND s.traceparent IS NOT NULL

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
-- How long until the next row is due; no row when none waits but for the end of a pause.
SELECT due_at - clock_timestamp() FROM deliveries
WHERE state IN ('scheduled', 'deferred')
  AND NOT EXISTS (SELECT FROM pauses WHERE business_id IS NULL)
  AND NOT EXISTS (SELECT FROM pauses p WHERE p.business_id = deliveries.business_id OFFSET 0)
ORDER BY due_at, id
LIMIT 1

-- name: reemit
-- Queued rows that the broker held in vain: to be published again, with growing patience.
-- $1 how many, $2 the patience at first, $3 whether the queue is empty: while it holds messages,
-- only those that were never confirmed are stale.
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
-- Rows whose worker vanished before the gate: nothing was handed over, so they are due again, or
-- failed when too many claims ($2) came to nothing. From the second on they come back one by one, for
-- whichever mail it is that kills its workers must not take the others along each time. $1 how many.
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
    token = token + 1,
    lease_until = NULL,
    due_at = clock_timestamp() + random() * (claims - 1) * interval '2 seconds',
    updated_at = clock_timestamp()
FROM lost WHERE d.id = lost.id
RETURNING d.id, d.state

-- name: expire
-- Rows that no worker took in time; their messages will find nothing to claim. $1 how many.
WITH late AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE state = 'queued' AND expires_at <= now()
    ORDER BY lease_until, id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET
    state = CASE WHEN attempts = 0 THEN 'expired' ELSE 'failed' END,
    reason = CASE WHEN attempts = 0 THEN 'not sent before it expired'
                  ELSE 'gave up when it expired: ' || coalesce(d.reason, 'no reason recorded') END,
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM late WHERE d.id = late.id
RETURNING d.id

-- name: doubt
-- Rows whose worker vanished after the gate: whether the relay has the mail cannot be known. The
-- token stays, so that a late reply of the same attempt still decides. $1 how many.
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
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM lost WHERE d.id = lost.id
RETURNING d.id

-- name: resend_in_doubt
-- The operator chose IN_DOUBT_POLICY=resend: rows in doubt for longer than any reply could take
-- ($2) are due again, and the old attempt can no longer decide. $1 how many.
WITH doubted AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE state = 'in_doubt' AND updated_at <= now() - $2::interval AND expires_at > now()
    ORDER BY updated_at, id
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE deliveries d SET
    state = 'deferred',
    token = token + 1,
    due_at = clock_timestamp(),
    updated_at = clock_timestamp()
FROM doubted WHERE d.id = doubted.id
RETURNING d.id

-- name: claim
-- A worker takes queued rows for one attempt each; those that are paused go back to wait in
-- Postgres, without a claim or an attempt. $1 ids, $2 the lease.
WITH waiting AS MATERIALIZED (
    SELECT d.id,
           EXISTS (SELECT FROM pauses p WHERE p.business_id IS NULL OR p.business_id = d.business_id) AS paused
    FROM (SELECT DISTINCT unnest($1::uuid[]) AS id ORDER BY id) asked
    CROSS JOIN LATERAL (SELECT id, business_id, state FROM deliveries WHERE id = asked.id OFFSET 0 FOR UPDATE) d
    WHERE d.state = 'queued'
), taken AS (
    UPDATE deliveries d SET
        state = CASE WHEN expires_at <= clock_timestamp() AND attempts = 0 THEN 'expired'
                     WHEN expires_at <= clock_timestamp() THEN 'failed'
                     WHEN paused THEN 'deferred' ELSE 'sending' END,
        reason = CASE WHEN expires_at <= clock_timestamp() AND attempts = 0 THEN 'not sent before it expired'
                      WHEN expires_at <= clock_timestamp()
                      THEN 'gave up when it expired: ' || coalesce(reason, 'no reason recorded')
                      WHEN paused THEN 'paused by the operator' ELSE reason END,
        token = token + 1,
        claims = claims + (NOT paused)::int,
        due_at = CASE WHEN paused THEN clock_timestamp() ELSE due_at END,
        lease_until = CASE WHEN paused THEN NULL ELSE clock_timestamp() + $2::interval END,
        updated_at = clock_timestamp()
    FROM waiting WHERE d.id = waiting.id
    RETURNING d.*
)
SELECT t.id, t.token, t.send_id, t.business_id, t.email, t.attempts, t.expires_at, t.created_at,
       s.personal_message, s.statement_sha256
FROM taken t JOIN sends s ON s.id = t.send_id
WHERE t.state = 'sending'

-- name: unknown
-- Those of the ids $1 that no delivery has.
SELECT asked.id FROM unnest($1::uuid[]) AS asked (id)
WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.id = asked.id OFFSET 0)

-- name: renew
-- A worker that still works on its rows keeps them. $1 ids, $2 tokens, $3 the lease.
WITH mine AS MATERIALIZED (
    SELECT d.id
    FROM (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS claims (id, token) ORDER BY id) held
    CROSS JOIN LATERAL (SELECT id, state, token, lease_until FROM deliveries WHERE id = held.id OFFSET 0 FOR UPDATE) d
    WHERE d.state IN ('sending', 'committing') AND d.token = held.token AND d.lease_until > clock_timestamp()
)
UPDATE deliveries d SET lease_until = clock_timestamp() + $3::interval FROM mine WHERE d.id = mine.id
RETURNING d.id, d.token

-- name: gate
-- The dot gate, the one point at which a mail counts as handed over. Only rows that change may
-- have their dot written, and only if what comes back says so: another statement may answer in this
-- one's place where a pool hands out other sessions. $1 ids, $2 tokens, $3 the lease.
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
-- What attempts came to: $1 ids, $2 tokens, $3 states (sent, deferred, failed, in_doubt), $4 delays
-- until the next attempt, $5 whether it counts as an attempt, $6 replies, $7 reasons.
-- $8 whether the relay says that the address does not exist: no further mail to it from that business.
-- One statement, so that a worker that freezes here holds no lock.
-- A verdict also settles a row that the sweeper put in doubt, while its token is the same.
WITH verdicts AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::interval[], $5::boolean[],
                         $6::text[], $7::text[], $8::boolean[])
        AS v (id, token, state, delay, counts, reply, reason, suppress)
), mine AS MATERIALIZED (
    SELECT d.id
    FROM (SELECT id, token, state FROM verdicts ORDER BY id) v
    CROSS JOIN LATERAL (SELECT id, state, token FROM deliveries WHERE id = v.id OFFSET 0 FOR UPDATE) d
    WHERE d.token = v.token
      AND (d.state IN ('sending', 'committing') OR d.state = 'in_doubt' AND v.state IN ('sent', 'failed', 'deferred'))
), recorded AS (
UPDATE deliveries d SET
    state = v.state,
    -- The gate has counted one that got so far.
    attempts = attempts + (d.state = 'sending' AND v.counts)::int - (d.state <> 'sending' AND NOT v.counts)::int,
    claims = 0,
    reply = coalesce(v.reply, d.reply),
    reason = v.reason,
    due_at = CASE v.state WHEN 'deferred' THEN least(clock_timestamp() + v.delay, d.expires_at) ELSE d.due_at END,
    sent_at = CASE v.state WHEN 'sent' THEN clock_timestamp() END,
    lease_until = NULL,
    updated_at = clock_timestamp()
FROM mine, verdicts v WHERE d.id = mine.id AND v.id = d.id
RETURNING d.id, d.token, d.state, d.business_id, d.email_key
), suppressed AS (
    INSERT INTO suppressions (business_id, email_key, reason)
    SELECT r.business_id, r.email_key, coalesce(v.reply, v.reason, 'refused')
    FROM recorded r JOIN verdicts v USING (id)
    WHERE v.suppress
    ON CONFLICT DO NOTHING
)
SELECT id, token, state FROM recorded

-- name: postpone
-- Queued rows that no worker can serve now wait in Postgres instead of the queue. $1 ids, $2 delay.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries WHERE id = ANY($1::uuid[]) AND state = 'queued' ORDER BY id FOR UPDATE
)
UPDATE deliveries d SET
    state = 'deferred',
    reason = $3,
    lease_until = NULL,
    due_at = clock_timestamp() + $2::interval,
    updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id
RETURNING d.id

-- name: abandon
-- No statement can be frozen for this send ($1): its waiting rows end with the reason $2.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries WHERE send_id = $1 AND state IN ('scheduled', 'deferred') ORDER BY id FOR UPDATE
)
UPDATE deliveries d SET state = 'failed', reason = $2, updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id
RETURNING d.id

-- name: put_off
-- The statement of this send ($1) cannot be frozen at the moment: its due rows wait for $2, with the
-- reason $3, until they expire.
WITH waiting AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE send_id = $1 AND state IN ('scheduled', 'deferred') AND due_at <= now()
    ORDER BY id
    FOR UPDATE
)
UPDATE deliveries d SET
    state = CASE WHEN expires_at <= now() THEN 'failed' ELSE 'deferred' END,
    reason = $3,
    due_at = clock_timestamp() + $2::interval,
    updated_at = clock_timestamp()
FROM waiting WHERE d.id = waiting.id
RETURNING d.id

-- name: unfrozen
-- The sends among the longest due deliveries whose statement is not frozen yet: of each business, but
-- for the paused, an equal part of the $1 deliveries that are looked at, and one at least.
SELECT s.id, s.business_id, s.customer_id, s.date_from, s.date_to
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

-- name: resolve
-- A person says what became of a row in doubt, and the attempt that left it there can no longer
-- decide. $1 id, $2 its business (NULL: any), $3 the state that follows (sent, failed, or deferred:
-- due again now, for as long as its send was given at first), $4 the reason.
UPDATE deliveries d SET
    state = $3::text,
    token = token + 1,
    claims = 0,
    reason = $4,
    due_at = CASE $3::text WHEN 'deferred' THEN clock_timestamp() ELSE d.due_at END,
    expires_at = CASE $3::text WHEN 'deferred'
                      THEN greatest(d.expires_at, clock_timestamp() + (s.expires_at - s.send_at))
                      ELSE d.expires_at END,
    -- Handed over before it was in doubt, if at all.
    sent_at = CASE $3::text WHEN 'sent' THEN d.updated_at END,
    updated_at = clock_timestamp()
FROM sends s
WHERE d.id = $1 AND d.state = 'in_doubt' AND ($2::bigint IS NULL OR d.business_id = $2) AND s.id = d.send_id
RETURNING d.send_id

-- name: quarantine
-- After a restore nobody knows what the forgotten time did to rows that were due: all are in doubt.
-- The token moves past every one that was given out in that time. Returns how many by state before.
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
        lease_until = NULL,
        updated_at = clock_timestamp()
    FROM forgotten WHERE d.id = forgotten.id
    RETURNING forgotten.state
)
SELECT state, count(*) FROM doubted GROUP BY state ORDER BY state

-- name: skip_events
-- After a restore: numbers of events that subscribers may know from the forgotten time stay unused.
SELECT setval(sequence, nextval(sequence) + 1000000)
FROM (SELECT pg_get_serial_sequence('delivery_events', 'id')::regclass) AS events (sequence)

-- name: pause
-- No mail of business $1 (NULL: of anybody) leaves the queue until it is resumed.
INSERT INTO pauses (business_id) VALUES ($1) ON CONFLICT DO NOTHING

-- name: resume
-- Ends the pause of business $1 (NULL: the one of everybody; those of single businesses stay).
DELETE FROM pauses WHERE business_id IS NOT DISTINCT FROM $1::bigint RETURNING business_id

-- name: pauses
-- The pauses in force, that of everybody (NULL) first.
SELECT business_id, paused_at FROM pauses ORDER BY business_id NULLS FIRST

-- name: backlog
-- How many deliveries have not come to their end, by state, and since when the oldest is due.
SELECT state, count(*), min(due_at) AS oldest_due
FROM deliveries
WHERE state IN ('scheduled', 'deferred')
   OR state IN ('queued', 'sending', 'committing')
   OR state = 'in_doubt'
GROUP BY state ORDER BY state

-- name: wake
-- Calls the relays: something may have become due.
SELECT pg_notify('ledgerpost_due', '')

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

-- name: statements
-- What the statements of claimed deliveries say. $1 businesses, $2 hashes.
SELECT business_id, sha256, content
FROM unnest($1::bigint[], $2::bytea[]) AS claimed (business_id, sha256) JOIN statements USING (business_id, sha256)
