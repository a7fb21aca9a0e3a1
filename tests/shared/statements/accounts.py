"""Snapshots of version 2 with all that a PDF may show, for the tests of the PDF."""

from decimal import Decimal
from typing import Any

from tests.shared.statements.snapshots import many, snapshot

_BUCKETS = ("not_due", "1-30", "31-60", "61-90", "over_90", "no_due_date", "credits", "opening")
_DAYS = (0, 12, 40, 75, 200)
_BRANDING = {
    "accent": "#7a1f5c",
    "sender_name": None,
    "reply_to": None,
    "how_to_pay": "Bank: GCB Bank, Accra\nAccount: 1234 5678 9012",
    "pay_link": "https://pay.example/kente/{reference}?amount={amount}",
    "paper": "a4",
    "attach_csv": False,
    "logo_sha256": None,
}


def account(
    rows: int | list[dict[str, Any]],
    *,
    kind: str = "activity-with-open-items",
    locale: str = "en",
    items: int = 7,
    opening: str = "3200",
    business: dict[str, Any] | None = None,
    **branding: Any,
) -> dict[str, Any]:
    """A snapshot of so many rows, and of open items that add up to its closing balance."""
    content = snapshot(many(rows) if isinstance(rows, int) else rows, opening=opening)
    content |= {"version": 2, "kind": kind, "locale": locale, "branding": _BRANDING | branding}
    content["business"] |= business or {}
    closing = content["closing_balance"]
    parts = [Decimal(n + 1) for n in range(items - 1)]
    open_items = [_item(n, part) for n, part in enumerate([*parts, closing - sum(parts)])]
    aging = dict.fromkeys(_BUCKETS, Decimal(0))
    for n, item in enumerate(open_items):
        aging[_BUCKETS[n % len(_DAYS)]] += item["open"]
    content["aging"] = aging | {"total": closing}
    content["open_items"] = None if kind == "activity" else open_items
    if kind == "open-items":
        content["transactions"] = []
    return content


def _item(n: int, part: Decimal) -> dict[str, Any]:
    return {
        "kind": "invoice",
        "id": n + 1,
        "number": f"OPEN-{n:03}",
        "date": "2024-09-01",
        "due_date": "2024-10-01",
        "total": abs(part) + 10,
        "open": part,
        "days_overdue": _DAYS[n % len(_DAYS)],
    }
