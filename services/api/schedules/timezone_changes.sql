-- Schedules whose next occurrence has another instant, because the rules of its time zone have changed.

-- name: stored
-- The next occurrences of $2 schedules, by their ids after $1, that are due in more than an hour.
SELECT id, next_on, next_at, at_time, timezone FROM schedules
WHERE id > $1 AND next_at > clock_timestamp() + interval '1 hour'
ORDER BY id
LIMIT $2

-- name: correct
-- Gives each next occurrence (ids $1, local dates $2) another instant ($4) unless somebody changed it since ($3).
UPDATE schedules s SET next_at = given.at, due_at = CASE WHEN s.due_at = s.next_at THEN given.at ELSE s.due_at END
FROM unnest($1::uuid[], $2::date[], $3::timestamptz[], $4::timestamptz[]) AS given (id, day, stored, at)
WHERE s.id = given.id AND s.next_on = given.day AND s.next_at = given.stored
RETURNING s.id
