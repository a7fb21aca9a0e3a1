"""Who may do what to which table: the one place. `migrate` brings the database in line with it.

A new table gets an entry here; one that nobody but the owner needs gets an empty one. Identity
columns need no grant on their sequence. What foreign keys and triggers with their owner's rights
do needs no grant either; but whoever changes the state of a delivery writes `delivery_events`.
"""

# Group roles: a process logs in as a role of its own that is a member of its group.
API = "ledgerpost_api"
RELAY = "ledgerpost_relay"
MAILER = "ledgerpost_mailer"
LEDGER = "ledgerpost_ledger"  # other systems that write the ledger by SQL
ROLES = (API, RELAY, MAILER, LEDGER)

_WRITE = "SELECT, INSERT, UPDATE, DELETE"
_LEDGER = {API: "SELECT", RELAY: "SELECT", LEDGER: _WRITE}
_DOCUMENTS = {RELAY: "SELECT", LEDGER: _WRITE}
_KEPT = {API: "SELECT", RELAY: "SELECT"}
_ADD_AND_CHANGE = "SELECT, INSERT, UPDATE"

GRANTS: dict[str, dict[str, str]] = {
    "businesses": _LEDGER,
    "categories": _LEDGER,
    "customers": _LEDGER,
    # Statements are frozen from these by the relay; reports read only what is kept.
    "invoices": _DOCUMENTS,
    "payments": _DOCUMENTS,
    "deposits": _DOCUMENTS,
    "kept_documents": _KEPT,
    "kept_periods": _KEPT,
    "kept_totals": _KEPT,
    "report_versions": _KEPT,
    "counted_documents": {},
    "counted_periods": {},
    "counted_totals": {},
    "summed_periods": {},
    "summed_totals": {},
    # Keys are made and revoked by the owner.
    "api_keys": {API: "SELECT, UPDATE (last_used_at)", RELAY: "SELECT, UPDATE (last_used_at)"},
    "key_windows": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE},
    "daily_recipients": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE},
    "daily_counts": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE},
    "due_recipients": {API: _ADD_AND_CHANGE, RELAY: _WRITE},
    "idempotency_keys": {API: _ADD_AND_CHANGE, RELAY: _WRITE},
    "suppressions": {API: "SELECT, INSERT, DELETE", RELAY: "SELECT", MAILER: "INSERT"},
    "statements": {RELAY: _WRITE, MAILER: "SELECT"},
    # A trigger keeps the status that follows from the deliveries.
    "sends": {API: _ADD_AND_CHANGE, RELAY: _WRITE, MAILER: "SELECT, UPDATE (status)"},
    "deliveries": {API: _ADD_AND_CHANGE, RELAY: _ADD_AND_CHANGE, MAILER: "SELECT, UPDATE"},
    "delivery_events": {API: "INSERT", RELAY: _WRITE, MAILER: "INSERT"},
    "request_answers": {RELAY: _WRITE},
    "outbox": {RELAY: "SELECT, UPDATE"},
    "pauses": {API: "SELECT", RELAY: "SELECT", MAILER: "SELECT"},
    "schema_migrations": dict.fromkeys(ROLES, "SELECT"),
}
