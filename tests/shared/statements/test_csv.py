"""The CSV beside a statement says what the snapshot says, and no program calculates it."""

import csv
import io
from decimal import Decimal
from typing import Any

from shared.statements.csv import COLUMNS, statement_csv
from shared.statements.model import Statement
from tests.shared.statements.snapshots import frozen, row, snapshot

ITEMS = [
    {
        "kind": "opening_balance",
        "id": None,
        "number": None,
        "date": None,
        "due_date": None,
        "total": Decimal("0.0001"),
        "open": Decimal("0.0001"),
        "days_overdue": None,
    },
    {
        "kind": "invoice",
        "id": 9007199254740993,
        "number": "=1+1",
        "date": "2024-11-01",
        "due_date": "2024-11-15",
        "total": Decimal("1234567.891"),
        "open": Decimal(100),
        "days_overdue": 15,
    },
]


def table(content: dict[str, Any]) -> list[dict[str, str]]:
    raw = statement_csv(Statement.parse(frozen(content)))
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.endswith(b"\r\n")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert all(tuple(each) == COLUMNS for each in rows)
    return rows


def test_every_transaction_is_there_between_the_balances() -> None:
    rows = table(snapshot())
    assert [each["kind"] for each in rows][::8] == ["opening_balance", "closing_balance"]
    assert [each["balance"] for each in rows] == [
        *("3200", "15680.5", "12480.5", "13347.25", "12866.75", "866.75", "1116.75"),
        *("3116.7499", "3116.7499"),
    ]
    assert rows[2] == dict.fromkeys(COLUMNS, "") | {
        "list": "activity",
        "date": "2024-11-04",
        "kind": "payment",
        "number": "INV-2024-0098",
        "channel": "online",
        "method": "Mobile money",
        "reference": "MP241104.1522",
        "credit": "3200",
        "balance": "12480.5",
        "currency": "GHS",
    }


def test_open_items_are_listed_by_kind_of_statement() -> None:
    both = snapshot(version=2, kind="activity-with-open-items", open_items=ITEMS)
    assert [each["list"] for each in table(both)] == ["activity"] * 9 + ["open-items"] * 2
    alone = table(snapshot([], version=2, kind="open-items", open_items=ITEMS))
    assert [(each["list"], each["open"], each["total"]) for each in alone] == [
        ("open-items", "0.0001", "0.0001"),
        ("open-items", "100", "1234567.891"),
    ]
    assert (alone[1]["number"], alone[1]["days_overdue"]) == ("'=1+1", "15")


def test_texts_are_one_line_and_no_formula() -> None:
    evil = '=HYPERLINK("http://x.example","y")\r\n\u202e'
    rows = table(snapshot([row("2024-11-01", "payment", "@A", "5", method="-1", reference=evil)]))
    assert (rows[1]["number"], rows[1]["method"]) == ("'@A", "'-1")
    assert rows[1]["reference"] == '\'=HYPERLINK("http://x.example","y")'
