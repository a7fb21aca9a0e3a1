-- name: end_hung
-- Ends the sessions with this session's role and name that hang inside a statement: for $1 or longer Postgres has
-- waited for the rest of it, and keeps the locks of the transaction.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user
  AND application_name = current_setting('application_name')
  AND state NOT LIKE 'idle%' AND wait_event = 'ClientRead' AND state_change < clock_timestamp() - $1::interval
