-- Batches of schedules that wait for a day on which the daily quota has room.

-- name: waiting
-- The batches that wait, the longest first; at most $1.
SELECT id, business_id, customers FROM batches WHERE phase = 'waiting' ORDER BY send_at, id LIMIT $1

-- name: number_waiting
-- How many batches wait.
SELECT count(*) FROM batches WHERE phase = 'waiting'
