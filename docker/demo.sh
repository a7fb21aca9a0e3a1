#!/bin/sh
# Loads the demo ledger, creates a key for it and prints what to try; a second run only prints.
set -eu
umask 077
kept=/var/lib/ledgerpost-demo/key
business=$(python -c 'import demo.ledger as ledger; print(ledger.WHOLESALER)')

if [ ! -s "$kept" ] || ! python -m demo.database "$kept"; then
    python -m demo.database
    python -c 'import pathlib, demo.ledger as ledger; ledger.write(pathlib.Path("/tmp/ledger"))'
    ledgerpost-api import /tmp/ledger
    python -c 'import demo.letterhead as of; print(*of.options(), sep="\0", end="")' |
        xargs -0 ledgerpost-api branding set --business "$business"
    python -c 'import pathlib, demo.letterhead as of; of.write_logo(pathlib.Path("/tmp/logo.png"))'
    ledgerpost-api branding logo --business "$business" /tmp/logo.png
    ledgerpost-api keys create --business "$business" --name "docker compose demo" > "$kept"
fi

cat <<TEXT

The demo ledger is loaded: business $business, three years until 2026-10-31. Try:

  KEY=$(cat "$kept")
  curl -H "Authorization: Bearer \$KEY" $API_URL/api/v3/reports/customers/2026-01-01/2026-10-31
  curl -H "Authorization: Bearer \$KEY" -X POST "$API_URL/api/v3/clients/1/transactions/send?from=2026-01-01&to=2026-10-31"

The mail arrives in $INBOX_URL
TEXT
