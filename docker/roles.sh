#!/bin/sh
# Makes the roles of Postgres, at every start: a login for each process, in the group to which `migrate`
# grants what that process needs, and an owner of the database and its tables who is no superuser. What
# the superuser made here in earlier versions becomes the owner's.
set -eu
PGPASSWORD=$(cat "${SECRETS:-/run/secrets}/postgres/password")
export PGPASSWORD PGOPTIONS='-c lock_timeout=10s -c client_min_messages=warning'
cd "${SECRETS:-/run/secrets}/roles"

exec psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 "${1:-postgresql://ledgerpost@postgres:5432/ledgerpost}" <<'SQL'
\set owner `cat owner`
\set api `cat api`
\set relay `cat relay`
\set mailer `cat mailer`
\set ledger `cat ledger`

SELECT format('CREATE ROLE %I', wanted) FROM unnest(ARRAY[
    'ledgerpost_api', 'ledgerpost_relay', 'ledgerpost_mailer', 'ledgerpost_ledger',
    'lp_owner', 'lp_api', 'lp_relay', 'lp_mailer', 'lp_ledger'
]) wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) \gexec

ALTER ROLE lp_owner LOGIN PASSWORD :'owner';
ALTER ROLE lp_api LOGIN PASSWORD :'api';
ALTER ROLE lp_relay LOGIN PASSWORD :'relay';
ALTER ROLE lp_mailer LOGIN PASSWORD :'mailer';
ALTER ROLE lp_ledger LOGIN PASSWORD :'ledger';
GRANT ledgerpost_api TO lp_api;
GRANT ledgerpost_relay TO lp_relay;
GRANT ledgerpost_mailer TO lp_mailer;
GRANT ledgerpost_ledger TO lp_ledger;

SELECT format('ALTER DATABASE %I OWNER TO lp_owner', current_database()) \gexec
SELECT format('ALTER %s %s OWNER TO lp_owner', kind, name) FROM (
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass::text, oid, relowner
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
    UNION ALL
    SELECT CASE prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END, oid::regprocedure::text, oid, proowner
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'DOMAIN', oid::regtype::text, oid, typowner
    FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'd'
) made (kind, name, oid, owner)
WHERE owner = current_user::regrole
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = made.oid AND d.deptype = 'e') \gexec
SQL
