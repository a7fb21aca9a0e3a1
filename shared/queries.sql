-- What a session with Postgres has to be; each statement says in one line what is wrong.

-- name: fits
-- A new session is ours alone, on a server that takes writes, in UTF-8, with all triggers.
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
    ELSIF current_setting('transaction_read_only') = 'on' THEN
        RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction',
            MESSAGE = 'the server takes no writes: it is a replica, or read-only';
    END IF;
END $$

-- name: stands
-- A session that was opened before is still ours alone, and the server still takes writes.
DO $$ BEGIN
    IF coalesce(current_setting('ledgerpost.session', true), '') = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'LP001', MESSAGE = 'DATABASE_URL leads to a pool that changes '
            'the session between transactions, which is not supported (PgBouncer: pool_mode=session)';
    ELSIF current_setting('transaction_read_only') = 'on' THEN
        RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction',
            MESSAGE = 'the server takes no writes: it is a replica, or read-only';
    END IF;
END $$
