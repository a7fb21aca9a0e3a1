#!/bin/sh
# Creates the roles of Postgres (roles.sql) and sets their passwords, at every start.
set -eu
secrets=${SECRETS:-/run/secrets}
here=$(dirname "$0")
PGPASSWORD=$(cat "$secrets/postgres/password")
export PGPASSWORD PGOPTIONS='-c lock_timeout=10s -c client_min_messages=warning'
address=${1:-postgresql://ledgerpost@postgres:5432/ledgerpost}

{
    cat "$here/roles.sql"
    for role in owner api relay mailer ledger; do
        echo "\\set password \`cat $secrets/roles/$role\`"
        echo "ALTER ROLE lp_$role PASSWORD :'password';"
    done
} | psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --file - "$address"
