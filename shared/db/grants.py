"""The rights of each role on each table. `migrate` grants and revokes rights accordingly.

A new table needs an entry here; a table that only the owner uses gets an empty one. Identity
columns need no grant on their sequence. Foreign keys, and triggers with their owner's rights, need
no grant either; but a role that changes the state of a delivery also writes `delivery_events`.
"""

# Group roles: each process logs in as its own role, which is a member of its group.
API = "ledgerpost_api"
RELAY = "ledgerpost_relay"
MAILER = "ledgerpost_mailer"
LEDGER = "ledgerpost_ledger"  # other systems that write the ledger by SQL
ROLES = (API, RELAY, MAILER, LEDGER)

_WRITE = "SELECT, INSERT, UPDATE, DELETE"
_LEDGER = {API: "SELECT", RELAY: "SELECT", LEDGER: _WRITE}
_KEPT = {API: "SELECT", RELAY: "SELECT"}
_ADD_AND_CHANGE = "SELECT, INSERT, UPDATE"

GRANTS: dict[str, dict[str, str]] = {
    "businesses": _LEDGER,
    "categories": _LEDGER,
    "customers": _LEDGER,
    # The relay freezes statements from these, and the API explains figures; lists read only what is
    # kept of them.
    "invoices": _LEDGER,
    "payments": _LEDGER,
    "deposits": _LEDGER,
    "kept_documents": _KEPT,
    "kept_periods": _KEPT,
    "kept_totals": _KEPT,
    "kept_open_parts": _KEPT,
    "report_versions": _KEPT,
    "bulk_loads": {LEDGER: "INSERT (transaction)"},
    "counted_documents": {},
    "counted_periods": {},
    "counted_totals": {},
    "counted_open_parts": {},
    "summed_periods": {},
    "summed_totals": {},
    # The owner creates and revokes keys.
    "api_keys": {API: "SELECT, UPDATE (last_used_at)", RELAY: "SELECT, UPDATE (last_used_at)"},
    "sessions": {API: "SELECT, INSERT, DELETE", RELAY: "SELECT, DELETE"},
    "key_windows": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE},
    "daily_recipients": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE},
    # The mailer counts what a Maildir has that matches no delivery.
    "daily_counts": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE, MAILER: _ADD_AND_CHANGE},
    "due_recipients": {API: _ADD_AND_CHANGE, RELAY: _WRITE},
    "idempotency_keys": {API: _ADD_AND_CHANGE, RELAY: _WRITE},
    # The mailer has to know which of the addresses that it adds were not there.
    "suppressions": {
        API: "SELECT, INSERT, DELETE",
        RELAY: "SELECT",
        MAILER: "SELECT (business_id, email_key), INSERT",
    },
    "lifted_suppressions": {API: "SELECT, INSERT", RELAY: "SELECT, DELETE"},
    "return_paths": {API: "SELECT", MAILER: "SELECT"},
    "returns": {API: _ADD_AND_CHANGE, RELAY: "SELECT, DELETE", MAILER: _ADD_AND_CHANGE},
    "returned_mails": {API: "SELECT, INSERT", RELAY: "SELECT, DELETE", MAILER: "SELECT, INSERT"},
    "reprocessed_returns": {API: "SELECT, INSERT"},
    "branding": {API: _ADD_AND_CHANGE, RELAY: "SELECT"},
    "logos": {API: _ADD_AND_CHANGE, RELAY: "SELECT, DELETE", MAILER: "SELECT"},
    # The API verifies the hash on a statement's paper.
    "statements": {API: "SELECT", RELAY: _WRITE, MAILER: "SELECT"},
    # A trigger sets the status that follows from the deliveries.
    "sends": {API: _ADD_AND_CHANGE, RELAY: _WRITE, MAILER: "SELECT, UPDATE (status)"},
    "deliveries": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE, MAILER: "SELECT, UPDATE"},
    "delivery_events": {API: "INSERT", RELAY: _WRITE, MAILER: "INSERT"},
    "request_answers": {RELAY: _WRITE},
    "batches": {API: _ADD_AND_CHANGE, RELAY: _WRITE},
    "batch_customers": {API: "SELECT, INSERT", RELAY: _WRITE},
    "frozen_lists": {API: _WRITE, RELAY: _WRITE},
    "frozen_list_customers": {API: "SELECT, INSERT", RELAY: "SELECT"},
    "schedules": {API: _WRITE, RELAY: "SELECT, UPDATE"},
    "schedule_occurrences": {API: "SELECT, INSERT", RELAY: "SELECT, INSERT"},
    "business_events": {API: "INSERT", RELAY: _WRITE},
    "outbox": {RELAY: "SELECT, UPDATE"},
    # The relay pauses a business that is in two databases.
    "pauses": {API: "SELECT", RELAY: "SELECT, INSERT", MAILER: "SELECT"},
    "schema_migrations": dict.fromkeys(ROLES, "SELECT"),
}
