-- Queries for the support bundle. None of them reads a text that a person wrote, an address or an amount.

-- name: tables
-- The tables of the schema of the ledger with their size in octets and the planner's estimate of their rows.
SELECT c.relname::text AS name, pg_total_relation_size(c.oid) AS octets, greatest(c.reltuples, 0)::bigint AS rows
FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'm') AND c.relnamespace =
    (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('schema_migrations'))
ORDER BY c.relname LIMIT 200

-- name: applied
-- When each migration was applied.
SELECT name, applied_at FROM schema_migrations ORDER BY name LIMIT 1000

-- name: server
-- Settings of Postgres that decide on safety and speed.
SELECT name, setting, unit FROM pg_settings WHERE name IN (
    'server_version', 'server_encoding', 'max_connections', 'shared_buffers', 'work_mem', 'synchronous_commit', 'fsync',
    'full_page_writes', 'wal_level', 'default_transaction_isolation', 'statement_timeout', 'lock_timeout',
    'idle_in_transaction_session_timeout', 'autovacuum', 'TimeZone')
ORDER BY name

-- name: states
-- The deliveries of the last days, by state and reason code, and the latest change of each.
SELECT state, reason_code, count(*) AS mails, max(updated_at) AS latest FROM deliveries
WHERE updated_at > now() - interval '7 days' GROUP BY state, reason_code ORDER BY mails DESC LIMIT 200

-- name: batches
-- The batches that changed in the last days, by phase and reason code, with their customers.
SELECT phase AS state, reason_code, count(*) AS batches, sum(customers)::bigint AS customers, max(updated_at) AS latest
FROM batches WHERE updated_at > now() - interval '7 days'
GROUP BY phase, reason_code ORDER BY batches DESC LIMIT 200

-- name: skipped_customers
-- The customers that the batches of the last days skipped, by reason code.
SELECT c.reason_code, count(*) AS customers
FROM batches b JOIN batch_customers c ON c.batch_id = b.id AND c.reason_code IS NOT NULL
WHERE b.updated_at > now() - interval '7 days'
GROUP BY c.reason_code ORDER BY customers DESC LIMIT 200

-- name: schedules
-- The schedules, by whether they are paused or over, and by why the next batch could not be made.
SELECT CASE WHEN paused_at IS NOT NULL THEN 'paused' WHEN next_at IS NULL THEN 'over' ELSE 'active' END AS state,
       reason_code, count(*) AS schedules, max(failures) AS failures, max(updated_at) AS latest
FROM schedules GROUP BY 1, reason_code ORDER BY schedules DESC LIMIT 200

-- name: occurrences
-- What became of the occurrences of the last days, by outcome and reason code.
SELECT outcome, reason_code, count(*) AS occurrences, max(occurrence) AS latest FROM schedule_occurrences
WHERE occurrence > current_date - 7 GROUP BY outcome, reason_code ORDER BY occurrences DESC LIMIT 200
