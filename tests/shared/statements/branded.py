"""Statements of all kinds with branding, for the tests of the mail."""

import datetime as dt
from decimal import Decimal
from struct import pack
from typing import Any
from zlib import compress, crc32

from tests.shared.statements.snapshots import NOVEMBER, snapshot

_END = dt.date(2024, 11, 30)
_AGES = ("not_due", "1-30", "31-60", "61-90", "over_90")


def branded(
    rows: list[dict[str, Any]] | None = None, *, items: int = 6, **changes: Any
) -> dict[str, Any]:
    """A statement with so many open items, whose figures add up; changes are `a__b=…`."""
    listed = [_item(number) for number in range(items)]
    total = sum((item["open"] for item in listed), Decimal(0))
    moved = snapshot(NOVEMBER if rows is None else rows, opening="0")["closing_balance"]
    branding = {
        "accent": "#7a1fa2",
        "how_to_pay": "Bank: Example Bank\nOr at https://bank.example/pay",
        "pay_link": "https://pay.example/?a={amount}&r={reference}",
    }
    given = {"version": 2, "kind": "activity-with-open-items", "branding": branding}
    given |= {"open_items": listed, "aging": _aging(listed, total)}
    return snapshot(rows, str(total - moved), **given | changes)


def logo(width: int = 480, height: int = 160) -> bytes:
    """A white PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack("!I", len(data)) + kind + data + pack("!I", crc32(kind + data))

    head = pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = compress((b"\0" + b"\xff" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def _item(number: int) -> dict[str, Any]:
    due = _END + dt.timedelta(days=20 - 17 * number % 130)
    amount = Decimal("850.25") + number
    return {
        "kind": "invoice",
        "id": number,
        "number": f"INV-2024-{number:04}",
        "date": (due - dt.timedelta(days=14)).isoformat(),
        "due_date": due.isoformat(),
        "total": amount + 100,
        "open": amount,
        "days_overdue": max(0, (_END - due).days),
    }


def _aging(items: list[dict[str, Any]], total: Decimal) -> dict[str, Decimal]:
    made = dict.fromkeys((*_AGES, "no_due_date", "credits", "opening"), Decimal(0))
    for item in items:
        late = item["days_overdue"]
        made[_AGES[min(len(_AGES) - 1, -(-late // 30))]] += item["open"]
    return made | {"total": total}
