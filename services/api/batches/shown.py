"""What the statements of many customers would show, without making them."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from services.api.reports.basis import Basis
from services.api.reports.query import EXACT, Arguments, figures
from shared.db import sql
from shared.db.postgres import Connection
from shared.period import Period
from shared.statements.model import Kind

_queries = sql.load("services.api.batches", "decisions.sql")

_DURING = Arguments("$1", "$2", "$3", "ANY($4::bigint[])")
_AFTER = Arguments("$1", "($3::date + 1)", "DATE '9999-12-31'", "ANY($4::bigint[])")


class Shown(NamedTuple):
    """What a customer's statement would show: its closing balance, and whether it has nothing.

    It has nothing if it lists no transaction of the period and no open item. Every statement shows
    the age of open items, so they count for each kind. An opening balance is an open item; deposits
    are for information only and do not count.
    """

    closing_balance: Decimal
    is_empty: bool


async def shown(
    conn: Connection, business_id: int, customers: Sequence[int], period: Period, kind: Kind
) -> dict[int, Shown]:
    """Return what the statement of each of these customers would show, as the ledger is now."""
    lists_transactions = kind != "open-items"
    rows = await conn.fetch(
        _text(), business_id, period.start, period.end, customers, lists_transactions
    )
    return {
        row["id"]: Shown(
            row["balance"],
            not row["has_open_items"] and not (lists_transactions and row["has_transactions"]),
        )
        for row in rows
    }


@cache
def _text() -> str:
    return sql.filled(
        _queries.shown,
        during=figures(_DURING, EXACT, activity=True),
        after=figures(_AFTER, EXACT, Basis.CASH),
    )
