-- name: overdue
-- Seconds since the due time of the mail that waits longest and is not paused. A mail that was never tried waits since
-- its send was due, however often it was handed back because something of ours was unavailable. A retry, and a mail
-- that a rate holds back, wait since their own due time. Considers the longest due mails: a few of each business, $1 of
-- those that were handed back, which are due again in seconds, and $1 of those in the queue.
WITH waiting AS (
    (SELECT head.* FROM (SELECT business_id FROM due_businesses() ORDER BY due_at LIMIT 500) b
     CROSS JOIN LATERAL (
         SELECT send_id, attempts, due_at, reason_code FROM deliveries
         WHERE business_id = b.business_id AND state IN ('scheduled', 'deferred') AND due_at <= now()
         ORDER BY business_id, due_at, id LIMIT 10) head)
    UNION ALL
    (SELECT send_id, attempts, due_at, reason_code FROM deliveries d
     WHERE state IN ('scheduled', 'deferred') AND due_at > now() AND due_at <= now() + interval '30 s'
       AND state = 'deferred' AND attempts = 0 AND NOT EXISTS (
           SELECT FROM pauses p WHERE p.business_id IS NULL OR p.business_id = d.business_id)
     ORDER BY due_at, id LIMIT $1)
    UNION ALL
    (SELECT send_id, attempts, due_at, reason_code FROM deliveries d
     WHERE state = 'queued' AND NOT EXISTS (
         SELECT FROM pauses p WHERE p.business_id IS NULL OR p.business_id = d.business_id)
     ORDER BY state, lease_until, id LIMIT $1)
)
SELECT greatest(0, coalesce(extract(epoch FROM now() - min(since)), 0))::float8
FROM waiting w
CROSS JOIN LATERAL (
    SELECT CASE WHEN w.attempts > 0 OR w.reason_code = 'rate_limited' THEN w.due_at ELSE s.send_at END AS since
    FROM sends s WHERE s.id = w.send_id OFFSET 0) due

-- name: stages
-- How many mails are in each stage that is not final, at most $1 of each; `held` ones are due and paused.
SELECT (SELECT count(*) FROM (SELECT FROM deliveries
            WHERE state IN ('scheduled', 'deferred') AND due_at > now() LIMIT $1) later) AS scheduled,
       (SELECT count(*) FROM (SELECT FROM due_businesses() b CROSS JOIN LATERAL (
            SELECT FROM deliveries
            WHERE business_id = b.business_id AND state IN ('scheduled', 'deferred') AND due_at <= now()
            LIMIT $1) mail LIMIT $1) due) AS due,
       (SELECT count(*) FROM (
            (SELECT FROM deliveries
             WHERE state IN ('scheduled', 'deferred') AND due_at <= now()
               AND EXISTS (SELECT FROM pauses WHERE business_id IS NULL) LIMIT $1)
            UNION ALL
            (SELECT FROM pauses p CROSS JOIN LATERAL (
                SELECT FROM deliveries
                WHERE business_id = p.business_id AND state IN ('scheduled', 'deferred') AND due_at <= now()
                LIMIT $1) mail
             WHERE NOT EXISTS (SELECT FROM pauses WHERE business_id IS NULL) LIMIT $1) LIMIT $1) held) AS held,
       (SELECT count(*) FROM (SELECT FROM deliveries WHERE state = 'queued' LIMIT $1) queued) AS queued,
       (SELECT count(*) FROM (SELECT FROM deliveries WHERE state IN ('sending', 'committing') LIMIT $1) sending)
           AS sending,
       (SELECT count(*) FROM (SELECT FROM deliveries WHERE state = 'in_doubt' LIMIT $1) doubted) AS in_doubt

-- name: batches_by_phase
-- How many batches are in each phase that is not final.
SELECT phase, count(*) AS number FROM batches
WHERE phase IN ('scheduled', 'waiting', 'expanding', 'sending') GROUP BY phase

-- name: schedules_by_state
-- How many schedules have an occurrence that is due, how many could not be made, and how many are paused.
SELECT count(*) FILTER (WHERE paused_at IS NULL AND due_at <= now()) AS due,
       count(*) FILTER (WHERE paused_at IS NULL AND failures > 0) AS failing,
       count(*) FILTER (WHERE paused_at IS NOT NULL) AS paused
FROM schedules

-- name: oldest_event
-- Seconds since the oldest event of a delivery that is not published; nothing if there is none.
SELECT extract(epoch FROM now() - occurred_at)::float8 FROM delivery_events
WHERE published_at IS NULL ORDER BY id LIMIT 1
