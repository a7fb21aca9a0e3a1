-- Schedules, and what became of their occurrences.

-- name: schedules
-- The schedules that the fragment `chosen` selects from the table s, each with its last settled occurrence and the
-- fiscal year of its business.
SELECT s.*, clock_timestamp() AS asked_at, b.fiscal_year_start,
       last.occurrence AS last_on, last.outcome AS last_outcome, last.batch_id AS last_batch,
       last.reason AS last_reason, last.reason_code AS last_reason_code
FROM schedules s
LEFT JOIN businesses b ON b.id = s.business_id
LEFT JOIN LATERAL (
    SELECT occurrence, outcome, batch_id, reason, reason_code FROM schedule_occurrences
    WHERE schedule_id = s.id AND (s.next_on IS NULL OR occurrence < s.next_on)
    ORDER BY occurrence DESC
    LIMIT 1
) last ON true
{chosen}

-- name: by_id
WHERE s.business_id = $1 AND s.id = $2

-- name: lock
-- Keeps everybody else from changing schedule $2 of business $1 until the transaction is over.
SELECT id FROM schedules WHERE business_id = $1 AND id = $2 FOR UPDATE

-- name: newest
-- At most $4 schedules of business $1, newest first, after the time $2 and the id $3.
WHERE s.business_id = $1 AND (s.created_at, s.id) < ($2, $3)
ORDER BY s.created_at DESC, s.id DESC
LIMIT $4

-- name: everyone
-- All schedules of business $1 (NULL: of all), those that are due first.
WHERE $1::bigint IS NULL OR s.business_id = $1
ORDER BY s.due_at NULLS LAST, s.id

-- name: business_of
-- The business that has the schedule $1.
SELECT business_id FROM schedules WHERE id = $1

-- name: longest_due
-- The schedule that has been due for the longest time of the business whose turn it is, after business $1, unless
-- another relay has it: it is locked until the transaction is over. Its columns are read by another query, because
-- this one may not see its last change.
SELECT business_id, id FROM schedules WHERE paused_at IS NULL AND due_at <= clock_timestamp()
ORDER BY business_id <= $1, business_id, due_at, id
LIMIT 1
FOR UPDATE SKIP LOCKED

-- name: queue_up
-- Lets only one transaction at a time add schedules to business $1, and returns how many there are. No
-- Idempotency-Key has a space, so none locks the same.
SELECT count(*) FROM schedules, (SELECT pg_advisory_xact_lock(hashtextextended('new schedule', $1))) AS alone
WHERE business_id = $1

-- name: business_now
-- The time, and what business $1 says about dates.
SELECT clock_timestamp() AS asked_at, timezone, fiscal_year_start FROM businesses WHERE id = $1

-- name: add
-- Adds a schedule.
INSERT INTO schedules (
    id, business_id, name, rule, at_time, timezone, period, filter, personal_message, other_emails, copy_to_me,
    statement_kind, locale, skip_empty, min_balance, catch_up, starts_on, ends_on, created_at, updated_at,
    next_on, next_at, due_at, traceparent)
VALUES (
    $id, $business, $name, $rule, $time, $timezone, $period, $filter, $message, $other_emails, $copy_to_me,
    $statement_kind, $locale, $skip_empty, $min_balance, $catch_up, $starts_on, $ends_on, $now, $now,
    $next_on, $next_at, $next_at, $trace)

-- name: change
-- Replaces what a schedule says, and its next occurrence.
UPDATE schedules SET
    name = $name, rule = $rule, at_time = $time, timezone = $timezone, period = $period, filter = $filter,
    personal_message = $message, other_emails = $other_emails, copy_to_me = $copy_to_me,
    statement_kind = $statement_kind, locale = $locale, skip_empty = $skip_empty, min_balance = $min_balance,
    catch_up = $catch_up, starts_on = $starts_on, ends_on = $ends_on, updated_at = $now,
    next_on = $next_on, next_at = $next_at, due_at = $next_at, failures = 0, reason = NULL, reason_code = NULL
WHERE id = $id

-- name: remove
-- Deletes a schedule with its occurrences; its batches stay.
DELETE FROM schedules WHERE id = $1

-- name: pause
-- Pauses a schedule.
UPDATE schedules SET paused_at = clock_timestamp(), updated_at = clock_timestamp() WHERE id = $1

-- name: resume
-- Ends the pause of the schedule $1.
UPDATE schedules SET paused_at = NULL, updated_at = clock_timestamp() WHERE id = $1

-- name: move
-- Gives the schedule $1 its next occurrence, on the local date $2 at $3 (NULL: there is none).
UPDATE schedules SET next_on = $2, next_at = $3, due_at = $3, failures = 0, reason = NULL, reason_code = NULL
WHERE id = $1

-- name: put_off
-- Has the relay look at the schedule $1 later, the later the more often it failed, because of the reason $3
-- with the code $4; unless somebody changed it since it was due at $2.
UPDATE schedules SET
    failures = failures + 1, reason = $3, reason_code = $4,
    due_at = clock_timestamp() + least(interval '1 minute' * (2 ^ least(failures, 10)), interval '1 hour')
WHERE id = $1 AND due_at = $2 AND paused_at IS NULL
RETURNING failures

-- name: number_failing
-- How many schedules have an occurrence that could not be made.
SELECT count(*) FROM schedules WHERE failures > 0 AND paused_at IS NULL

-- name: next_due
-- The time until the next schedule is due; NULL if there is none.
SELECT min(due_at) - clock_timestamp() FROM schedules WHERE paused_at IS NULL AND due_at IS NOT NULL

-- name: settle
-- Records what became of the occurrences on the local dates $days of a schedule.
INSERT INTO schedule_occurrences (schedule_id, occurrence, outcome, batch_id, reason, reason_code)
SELECT $schedule, day, $outcome, $batch, $reason, $code FROM unnest($days::date[]) AS day

-- name: settled
-- The dates of the schedule $1 from $2 on that are settled, and what became of them.
SELECT occurrence, outcome FROM schedule_occurrences WHERE schedule_id = $1 AND occurrence >= $2

-- name: tell
-- Adds an event of the schedule $1: its type $2, the occurrence $3 that it is about, the reason $4 with its
-- code $5.
INSERT INTO business_events (business_id, type, schedule_id, occurrence, reason, reason_code, traceparent)
SELECT business_id, 'schedule.' || $2::text, id, $3, $4, $5, traceparent FROM schedules WHERE id = $1
