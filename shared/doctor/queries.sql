-- Queries of the catalog for `doctor`; every role may run them.

-- name: connections
-- How many connections the current role may have, and how many there are.
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0) AS of_server,
       r.rolconnlimit AS of_role, d.datconnlimit AS of_database,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used
FROM pg_roles r, pg_database d
WHERE r.rolname = current_user AND d.datname = current_database()

-- name: current_role
-- The current role, what it may do beyond its work, and the schema of the ledger; NULL before the first migration.
SELECT r.rolname::text AS name, r.rolsuper AS is_superuser, r.rolcreaterole AS makes_roles,
       coalesce(pg_has_role(r.oid, c.relowner, 'USAGE'), false) AS is_owner,
       c.relnamespace::regnamespace::text AS ledger
FROM pg_roles r LEFT JOIN pg_class c ON c.oid = to_regclass('schema_migrations')
WHERE r.rolname = current_user

-- name: rights_missing
-- Which of the privileges $3, on the columns $4, of the tables $2 of the schema $1 the current role lacks.
SELECT CASE w.col WHEN '' THEN w.privilege ELSE format('%s (%s)', w.privilege, w.col) END AS privilege, w.relation
FROM unnest($2::text[], $3::text[], $4::text[]) AS w (relation, privilege, col)
JOIN pg_class c ON c.relnamespace = $1::text::regnamespace AND c.relname = w.relation
WHERE NOT CASE w.col
    WHEN '' THEN has_table_privilege(c.oid, w.privilege)
    ELSE has_column_privilege(c.oid, w.col, w.privilege)
END
ORDER BY w.relation, w.privilege

-- name: may_look
-- Whether the current role may use the schema $1.
SELECT has_schema_privilege($1::text, 'USAGE')

-- name: triggers
-- The triggers of the tables $2 of the schema $1 and of their partitions: those in force, and those switched off.
WITH RECURSIVE family AS (
    SELECT c.oid, c.relname::text AS ancestor, false AS is_partition FROM pg_class c
    WHERE c.relnamespace = $1::text::regnamespace AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT i.inhrelid, f.ancestor, true FROM pg_inherits i JOIN family f ON f.oid = i.inhparent
)
SELECT f.ancestor, f.oid::regclass::text AS relation, f.is_partition,
       coalesce(array_agg(t.tgname::text) FILTER (WHERE t.tgenabled IN ('O', 'A')), '{}') AS in_force,
       coalesce(array_agg(t.tgname::text) FILTER (WHERE t.tgenabled NOT IN ('O', 'A')), '{}') AS switched_off
FROM family f LEFT JOIN pg_trigger t ON t.tgrelid = f.oid AND NOT t.tgisinternal
GROUP BY f.ancestor, f.oid, f.is_partition
ORDER BY f.ancestor, f.is_partition, relation

-- name: clock
SELECT clock_timestamp()
