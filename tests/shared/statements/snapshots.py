"""Snapshots as Postgres would freeze them, for the tests of the renderer."""

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any


def row(
    date: str,
    kind: str,
    number: str,
    amount: str,
    due: str | None = None,
    method: str | None = None,
    reference: str | None = None,
    channel: str | None = None,
) -> dict[str, Any]:
    raises = kind in {"invoice", "refund"}
    return {
        "date": date,
        "kind": kind,
        "id": 1,
        "number": number,
        "due_date": due,
        "channel": channel,
        "method": method,
        "reference": reference,
        "charge": Decimal(amount) if raises else None,
        "credit": None if raises else Decimal(amount),
        "balance": Decimal(0),
    }


NOVEMBER = [
    row("2024-11-01", "invoice", "INV-2024-0117", "12480.5", due="2024-11-15"),
    row(
        "2024-11-04",
        "payment",
        "INV-2024-0098",
        "3200",
        method="Mobile money",
        channel="online",
        reference="MP241104.1522",
    ),
    row("2024-11-09", "invoice", "INV-2024-0121", "866.75", due="2024-11-23"),
    row("2024-11-12", "credit_note", "CN-2024-0009", "480.5"),
    row(
        "2024-11-18",
        "payment",
        "INV-2024-0117",
        "12000",
        method="Bank transfer",
        channel="manual",
        reference="GCB 99231",
    ),
    row("2024-11-21", "refund", "INV-2024-0117", "250", method="Mobile money", channel="online"),
    row("2024-11-28", "invoice", "INV-2024-0130", "1999.9999", due="2024-12-12"),
]


def snapshot(
    rows: list[dict[str, Any]] | None = None, opening: str = "3200", **changes: Any
) -> dict[str, Any]:
    """A snapshot whose running balance and totals follow from its rows; changes are `a__b=…`."""
    kept = [dict(part) for part in (NOVEMBER if rows is None else rows)]
    balance = Decimal(opening)
    sums = dict.fromkeys(("invoice", "credit_note", "payment", "refund"), Decimal(0))
    for part in kept:
        sums[part["kind"]] += part["charge"] or part["credit"] or 0
        balance += (part["charge"] or 0) - (part["credit"] or 0)
        part["balance"] = balance
    content: dict[str, Any] = {
        "version": 1,
        "business": {
            "id": 7,
            "name": "Kente & Co",
            "email": "accounts@kente.example",
            "phone": "+233 30 255 0117",
            "address": "14 Oxford Street\nOsu, Accra",
            "currency": "GHS",
            "timezone": "Africa/Accra",
        },
        "customer": {
            "id": 12,
            "first_name": "Ɛsi",
            "last_name": "Ɔfori",
            "business_name": "Ɔfori & Daughters Fabrics",
            "business_address": "Makola Market, Stall 88",
            "business_phone": "+233 24 411 0088",
            "business_location": "Accra",
            "business_email": "esi@ofori.example",
            "phone_number": "+233 24 411 0089",
        },
        "from": "2024-11-01",
        "to": "2024-11-30",
        "generated_at": "2026-11-22T16:00:00Z",
        "opening_balance": Decimal(opening),
        "transactions": kept,
        "totals": {
            "invoiced": sums["invoice"],
            "credited": sums["credit_note"],
            "paid": sums["payment"],
            "refunded": sums["refund"],
        },
        "closing_balance": balance,
        "report": {
            "id": 12,
            "owner_id": 1,
            "business_id": 7,
            "first_name": "Ɛsi",
            "category": "Retail",
            "archived": 0,
            "amount_due": Decimal("14866.7499"),
            "invoice_count": 3,
            "balance": Decimal("-1250.25"),
            "amount_paid": Decimal(12000),
            "online_amount_paid": None,
            "deposit_amount": Decimal(0),
            "total_paid": Decimal(11750),
            "owing": Decimal("3116.7499"),
            "dateFrom": "2024-11-01",
            "dateTo": "2024-11-30",
            "invoices": 3,
        },
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = content
        for parent in parents:
            place = place[parent]
        place[last] = value
    return content


def complete(**changes: Any) -> dict[str, Any]:
    """A snapshot of a statement with everything that one can have, but for a logo."""
    opening = _item("opening_balance", None, "250")
    late = _item("invoice", "INV-2024-0121", "866.75", date="2024-11-09", due="2024-11-23", days=7)
    coming = _item("invoice", "INV-2024-0130", "1999.9999", date="2024-11-28", due="2024-12-12")
    zero = Decimal(0)
    ages = dict.fromkeys(("31-60", "61-90", "over_90", "no_due_date", "credits"), zero)
    parts = {"not_due": coming["open"], "1-30": late["open"], "opening": opening["open"]}
    whole = {
        "version": 2,
        "kind": "activity-with-open-items",
        "locale": "en",
        "branding": {
            "accent": "#0b4f8a",
            "attach_csv": True,
            "how_to_pay": "Example Bank, Accra\nAccount 0011 2233 4455",
            "pay_link": "https://pay.example/{customer_id}?amount={amount}",
        },
        "open_items": [opening, late, coming],
        "aging": ages | parts | {"total": Decimal("3116.7499")},
    }
    return snapshot(**{"report__deposit_amount": Decimal("75.5"), **whole, **changes})


def _item(
    kind: str,
    number: str | None,
    amount: str,
    date: str | None = None,
    due: str | None = None,
    days: int | None = None,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": None if number is None else 1,
        "number": number,
        "date": date,
        "due_date": due,
        "total": Decimal(amount),
        "open": Decimal(amount),
        "days_overdue": days,
    }


def many(count: int) -> list[dict[str, Any]]:
    """Rows of a busy month: an invoice, then a payment of two thirds of it, and so on."""
    start = dt.date(2024, 11, 1)
    rows = []
    for n in range(count):
        date = (start + dt.timedelta(days=n * 30 // count)).isoformat()
        if n % 2 == 0:
            rows.append(row(date, "invoice", f"INV-{n:05}", f"{900 + n}.25", due="2024-12-15"))
        else:
            rows.append(
                row(
                    date,
                    "payment",
                    f"INV-{n - 1:05}",
                    f"{600 + n}.1",
                    method="Cash",
                    channel="manual",
                )
            )
    return rows


def frozen(content: dict[str, Any]) -> bytes:
    """The bytes of a snapshot, its decimals as JSON numbers digit for digit."""
    text = json.dumps(content, default=lambda amount: f"decimal:{amount:f}")
    return re.sub(r'"decimal:([-0-9.]+)"', r"\1", text).encode()
