"""Views of statements, for the tests of what they say."""

from decimal import Decimal
from typing import Any

from shared.statements.model import Statement
from shared.statements.view import View, view
from tests.shared.statements.snapshots import frozen, snapshot

AGES = ("not_due", "1-30", "31-60", "61-90", "over_90", "no_due_date", "credits", "opening")


def viewed(rows: list[dict[str, Any]] | None = None, opening: str = "3200", **changes: Any) -> View:
    return view(Statement.parse(frozen(snapshot(rows, opening, **changes))))


def second(
    rows: list[dict[str, Any]] | None = None,
    opening: str = "3200",
    *,
    ages: dict[str, str] | None = None,
    items: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> View:
    """A statement of version 2, whose ageing and open items are given."""
    aging = {age: Decimal((ages or {}).get(age, "0")) for age in AGES}
    aging["total"] = sum(aging.values(), Decimal(0))
    return viewed(rows, opening, version=2, aging=aging, open_items=items, **changes)


def item(number: str, due: str | None, late: int, amount: str) -> dict[str, Any]:
    return {
        "kind": "invoice",
        "id": 1,
        "number": number,
        "date": "2024-11-01",
        "due_date": due,
        "total": Decimal(amount),
        "open": Decimal(amount),
        "days_overdue": late,
    }
