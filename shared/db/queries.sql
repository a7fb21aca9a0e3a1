-- Queries of the catalog for `migrate`.

-- name: owner
-- The current role, whether it owns the ledger and may create roles, and the schema of the ledger.
SELECT current_user::text AS name,
       pg_has_role(current_user, c.relowner, 'USAGE') AS is_owner,
       (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS makes_roles,
       c.relnamespace::regnamespace::text AS ledger
FROM pg_class c WHERE c.oid = 'schema_migrations'::regclass

-- name: roles
-- The existing roles among $1.
SELECT rolname::text FROM pg_roles WHERE rolname = ANY ($1::text[])

-- name: roles_that_cannot_look
-- The roles among $1 that may not use the schema $2.
SELECT role FROM unnest($1::text[]) AS role WHERE NOT has_schema_privilege(role, $2, 'USAGE')

-- name: tables
-- The tables and views of the schema $1.
SELECT relname::text FROM pg_class
WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p', 'v')

-- name: grants
-- The rights of the roles $1 on tables and columns of the schema $2.
SELECT r.rolname::text AS role, c.relname::text AS relation, a.privilege_type AS privilege
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = $2::text::regnamespace AND r.rolname = ANY ($1::text[])
  AND c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT r.rolname, c.relname, format('%s (%s)', a.privilege_type, t.attname)
FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
CROSS JOIN LATERAL aclexplode(t.attacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relnamespace = $2::text::regnamespace AND r.rolname = ANY ($1::text[])

-- name: functions_for_all
-- Functions of the ledger's triggers that run with their owner's rights and that PUBLIC may execute, as after
-- a restore without grants.
SELECT DISTINCT p.oid::regprocedure::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE c.relnamespace = $1::text::regnamespace AND c.relname = ANY ($2::text[])
  AND p.prosecdef AND has_function_privilege('public', p.oid, 'EXECUTE')

-- name: all_mighty
-- The current role, if it is a superuser or has the rights of the ledger's owner.
SELECT rolname::text FROM pg_roles
WHERE rolname = current_user AND (rolsuper OR EXISTS (
    SELECT FROM pg_class
    WHERE oid = to_regclass('schema_migrations') AND pg_has_role(current_user, relowner, 'USAGE')))

-- name: blockers
-- The session for which the backend $1 waits.
SELECT pid, usename::text AS role, application_name AS application, state, xact_start AS since
FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1)) ORDER BY xact_start NULLS LAST, pid

-- Checks of a session; each statement raises one line that describes the fault.

-- name: fits
-- Checks that a new session is not shared, in UTF-8, and would run all triggers.
DO $$ BEGIN
    IF coalesce(current_setting('ledgerpost.session', true), '') <> '' THEN
        RAISE EXCEPTION USING ERRCODE = 'LP001', MESSAGE = 'DATABASE_URL leads to a pool that gives '
            'one session to several clients, which is not supported (PgBouncer: pool_mode=session '
            'with server_reset_query)';
    ELSIF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION USING ERRCODE = 'LP001', MESSAGE = 'the database''s encoding is '
            || current_setting('server_encoding') || ', which is not supported: it has to be UTF8';
    ELSIF current_setting('session_replication_role') <> 'origin' THEN
        RAISE EXCEPTION USING ERRCODE = 'LP001', MESSAGE = 'session_replication_role is '
            || current_setting('session_replication_role') || ', so triggers would not keep the figures';
    END IF;
END $$

-- name: writes
-- Checks that the server accepts writes.
DO $$ BEGIN
    IF current_setting('transaction_read_only') = 'on' THEN
        RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction',
            MESSAGE = 'the server takes no writes: it is a replica, or read-only';
    END IF;
END $$

-- name: stands
-- Checks that an older session is still not shared.
DO $$ BEGIN
    IF coalesce(current_setting('ledgerpost.session', true), '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'LP001', MESSAGE = 'DATABASE_URL leads to a pool that changes '
            'the session between transactions, which is not supported (PgBouncer: pool_mode=session)';
    END IF;
END $$

-- name: businesses
-- The ids of all businesses of this database.
SELECT id FROM businesses
