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
