from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, NamedTuple

from pydantic import Field as Limited

from services.api.core.refusals import NotFound
from services.api.formats.report import Value
from services.api.statements.store import lines_text
from shared.db import sql
from shared.db.postgres import Connection
from shared.period import Period

_queries = sql.load("services.api.views.transactions")
_BATCH_ROWS = 1000
_AFTER = "WHERE (l.day, l.rank, l.id) > ($day::date, $rank::int, $id::bigint)\n"
_LIMIT = "LIMIT $limit"

# A line's values, in the order of the columns of the account.
Line = Sequence[Value]


class Place(NamedTuple):
    """The line at which a page ended: its day, whether it is a payment, and the id of it."""

    day: date
    rank: Annotated[int, Limited(ge=1, le=2)]
    id: Annotated[int, Limited(ge=0, lt=2**63)]


@dataclass(frozen=True)
class Account:
    """The account of a customer over a period: the balances, and the sums of what lies between.

    None of the sums is signed.
    """

    opening_balance: Decimal
    invoiced: Decimal
    credited: Decimal
    paid: Decimal
    refunded: Decimal
    closing_balance: Decimal
    count: int

    @property
    def holds(self) -> bool:
        """Whether the sums lead from the opening to the closing balance."""
        led_to = self.opening_balance + self.invoiced - self.credited - self.paid + self.refunded
        return led_to == self.closing_balance


@dataclass(frozen=True)
class AccountQuery:
    """Whose account is wanted, and for which days."""

    business_id: int
    customer_id: int
    period: Period

    def __str__(self) -> str:
        """Return what the cursors of this account are bound to."""
        return (
            f"account {self.business_id} {self.customer_id} {self.period.start} {self.period.end}"
        )

    def called(self, text: str, **given: Any) -> tuple[Any, ...]:
        """Return a query as Postgres takes it, with its arguments."""
        return sql.call(
            text,
            business=self.business_id,
            customer=self.customer_id,
            start=self.period.start,
            end=self.period.end,
            **given,
        )


async def account(conn: Connection, query: AccountQuery) -> Account:
    """Return the account. Raises NotFound if there is no such customer."""
    row = await conn.fetchrow(*query.called(_text(_queries.account)))
    if row is None:
        raise NotFound("customer")
    return Account(**row)


async def page(
    conn: Connection, query: AccountQuery, after: Place | None, rows: int
) -> Sequence[Line]:
    """Return at most so many lines, in their order, after a place or from the first."""
    if after is None:
        text = _text(_queries.in_order, after="", limit=_LIMIT)
        found = await conn.fetch(*query.called(text, limit=rows))
    else:
        text = _text(_queries.in_order, after=_AFTER, limit=_LIMIT)
        found = await conn.fetch(*query.called(text, limit=rows, **after._asdict()))
    return [tuple(row) for row in found]


async def every(conn: Connection, query: AccountQuery) -> AsyncIterator[Sequence[Line]]:
    """Yield all lines in batches, in their order; within a transaction."""
    cursor = await conn.cursor(*query.called(_text(_queries.in_order, after="", limit="")))
    while rows := await cursor.fetch(_BATCH_ROWS):
        yield [tuple(row) for row in rows]


def place_of(line: Sequence[Any]) -> Place:
    """Return the place of a line, after which the next page begins."""
    day, document, payment = line[0], line[3], line[4]
    return Place(day, 1, document) if payment is None else Place(day, 2, payment)


@cache
def _text(query: str, **texts: str) -> str:
    return sql.filled(query, lines=lines_text(), **texts)
