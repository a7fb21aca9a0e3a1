#!/bin/sh
# Makes the role with which the replica logs in, and its slot, unless they are there.
set -eu
PGPASSWORD=$(cat /run/secrets/postgres/password)
export PGPASSWORD PGOPTIONS='-c client_min_messages=warning'
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 postgresql://ledgerpost@postgres:5432/ledgerpost <<'SQL'
DO $$
BEGIN
    IF to_regrole('lp_replica') IS NULL THEN
        CREATE ROLE lp_replica LOGIN REPLICATION;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'replica') THEN
        PERFORM pg_create_physical_replication_slot('replica');
    END IF;
END
$$;
\set password `cat /run/secrets/roles/replica`
ALTER ROLE lp_replica PASSWORD :'password';
SQL
