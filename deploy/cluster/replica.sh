#!/bin/sh
# Copies the primary at the first start, and then follows it. A copy that was interrupted is begun again.
set -eu
data=${PGDATA:-/var/lib/postgresql/data}
if [ ! -f "$data/copied" ]; then
    find "$data" -mindepth 1 -delete
    PGPASSWORD=$(cat /run/secrets/roles/replica) pg_basebackup --host postgres --username lp_replica \
        --pgdata "$data" --checkpoint fast --slot replica --write-recovery-conf
    chmod 700 "$data"
    touch "$data/copied"
fi
exec postgres -D "$data" -c hba_file=/etc/postgresql/pg_hba.conf
