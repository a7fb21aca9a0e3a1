"""What the examples of all views have in common: the golden ledger's business in November 2024."""

from typing import Any

META: dict[str, Any] = {
    "basis": "accrual",
    "date_field": "issue_date",
    "from": "2024-11-01",
    "to": "2024-11-30",
    "inclusive": True,
    "excluded": {"documents": ["draft", "void"], "payments": ["pending", "failed"]},
    "timezone": "Africa/Accra",
    "currency": "GHS",
    "definition": "2026-11",
    "generated_at": "2026-11-28T12:00:00.000000Z",
    "ledger_version": "0.7",
    "filters": {},
}
