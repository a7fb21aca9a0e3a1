"""The figures of a statement as CSV, for the customer's books: plain decimals, ISO dates."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from shared.csv_text import BOM, field
from shared.statements.model import Statement, Transaction
from shared.statements.open_parts import OpenItem
from shared.statements.wording import line

#: The columns, the same for each kind of statement. `list` is `activity` or `open-items`.
COLUMNS: Final = (
    *("list", "date", "kind", "number", "due_date", "days_overdue", "channel", "method"),
    *("reference", "charge", "credit", "balance", "total", "open", "currency"),
)

_Values = dict[str, object]


def statement_csv(statement: Statement) -> bytes:
    """Return all transactions between the balances of both ends, and then all open items.

    In UTF-8 with a byte order mark, because people open it in Excel. Texts that a spreadsheet
    program would calculate have an apostrophe before them.
    """
    currency = statement.business.currency
    rows = [*_activity(statement), *_open_items(statement)]
    lines = [",".join(COLUMNS), *(_line(row | {"currency": currency}) for row in rows), ""]
    return BOM + "\r\n".join(lines).encode()


def _activity(statement: Statement) -> Iterator[_Values]:
    if statement.kind == "open-items":
        return
    yield _end("opening_balance", statement.start, statement.opening_balance)
    yield from map(_transaction, statement.transactions)
    yield _end("closing_balance", statement.end, statement.closing_balance)


def _end(kind: str, day: object, balance: object) -> _Values:
    return {"list": "activity", "date": day, "kind": kind, "balance": balance}


def _transaction(transaction: Transaction) -> _Values:
    return {"list": "activity"} | transaction.model_dump(exclude={"id"})


def _open_items(statement: Statement) -> Iterator[_Values]:
    for item in statement.open_items or ():
        yield _open_item(item)


def _open_item(item: OpenItem) -> _Values:
    return {"list": "open-items"} | item.model_dump(exclude={"id"})


def _line(values: _Values) -> str:
    return ",".join(_field(values.get(column)) for column in COLUMNS)


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return field(line(value)) if isinstance(value, str) else str(value)
