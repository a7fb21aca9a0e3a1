#!/bin/sh
# Loads the demo ledger, makes a key for it and tells what to try; a second run only tells again.
set -eu
umask 077
kept=/var/lib/ledgerpost-demo/key

valid() { # key: is in the database, and not revoked
    ledgerpost-api keys list | awk -v key="$1" '
        { for (i = 1; i <= NF; i++) if ($i ~ /^ledgerpost_/ && index(key, $i) == 1 && $NF == "-") found = 1 }
        END { exit !found }'
}

if [ ! -s "$kept" ] || ! valid "$(cat "$kept")"; then
    python -c 'import pathlib, demo.ledger; demo.ledger.write(pathlib.Path("/tmp/ledger"))'
    ledgerpost-api import /tmp/ledger
    ledgerpost-api keys create --business 1 --name "docker compose demo" > "$kept"
fi

cat <<TEXT

The demo ledger is loaded: business 1, three years until 2026-10-31. Try:

  KEY=$(cat "$kept")
  curl -H "Authorization: Bearer \$KEY" $API_URL/api/v3/reports/customers/2026-01-01/2026-10-31
  curl -H "Authorization: Bearer \$KEY" -X POST "$API_URL/api/v3/clients/1/transactions/send?from=2026-01-01&to=2026-10-31"

The mail arrives in $INBOX_URL
TEXT
