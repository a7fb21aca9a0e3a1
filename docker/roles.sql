-- Creates the roles of Postgres. A superuser runs this file; it may be repeated. Each process gets a login
-- that is a member of the group to which `migrate` grants the rights that the process needs. The owner of the
-- database and its tables is lp_owner, which is not a superuser. Passwords are not set here. In earlier
-- versions a superuser owned all objects in the schema `public`. If that superuser runs this file, lp_owner
-- becomes the owner of those objects.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['ledgerpost_api', 'ledgerpost_relay', 'ledgerpost_mailer', 'ledgerpost_ledger'] LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
    FOREACH wanted IN ARRAY ARRAY['lp_owner', 'lp_api', 'lp_relay', 'lp_mailer', 'lp_ledger'] LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        END IF;
    END LOOP;
END
$$;

GRANT ledgerpost_api TO lp_api;
GRANT ledgerpost_relay TO lp_relay;
GRANT ledgerpost_mailer TO lp_mailer;
GRANT ledgerpost_ledger TO lp_ledger;

DO $$
DECLARE
    made text;
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO lp_owner', current_database());
    FOR made IN
        SELECT format('%s %s', kind, name) FROM (
            SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass::text, oid, relowner
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
            UNION ALL
            SELECT CASE prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END, oid::regprocedure::text, oid,
                proowner
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT 'DOMAIN', oid::regtype::text, oid, typowner
            FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'd'
            UNION ALL
            SELECT 'TYPE', t.oid::regtype::text, t.oid, t.typowner
            FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typnamespace = 'public'::regnamespace AND c.relkind = 'c'
        ) objects (kind, name, id, owner)
        WHERE owner = current_user::regrole
          -- Objects of extensions stay as they are.
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = id AND deptype = 'e')
    LOOP
        EXECUTE format('ALTER %s OWNER TO lp_owner', made);
    END LOOP;
END
$$;
