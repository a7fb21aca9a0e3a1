-- The roles of Postgres, said by a superuser, as often as one likes: a login for each process, in the group
-- to which `migrate` grants what that process needs, and an owner of the database and its tables who is no
-- superuser. Passwords are not set here. What the superuser owns in `public`, because an earlier version
-- had one role for everything, becomes the owner's.
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
        ) objects (kind, name, id, owner)
        WHERE owner = current_user::regrole
          -- What belongs to an extension is not ours.
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = id AND deptype = 'e')
    LOOP
        EXECUTE format('ALTER %s OWNER TO lp_owner', made);
    END LOOP;
END
$$;
