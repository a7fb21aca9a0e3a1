from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import asyncpg

from services.api.core.refusals import NotFound
from services.api.reports.basis import Basis
from services.api.reports.series.intervals import Interval, Span
from shared.db import sql
from shared.db.postgres import Connection
from shared.period import Period

_queries = sql.load("services.api.reports.series")
_ZERO = Decimal(0)


class Sums(NamedTuple):
    """What was billed and paid in some days, in the order of the figures of a series."""

    amount_due: Decimal = _ZERO
    total_paid: Decimal = _ZERO
    received: Decimal = _ZERO
    invoices: int = 0


@dataclass(frozen=True)
class SeriesQuery:
    """Which series is wanted: of all customers of a business, or of one."""

    business_id: int
    customer_id: int | None
    period: Period
    interval: Interval
    basis: Basis


async def sums(conn: Connection, query: SeriesQuery, spans: Sequence[Span]) -> list[Sums]:
    """Return the sums of each of these intervals. Raises NotFound if there is no such customer."""
    found = [Sums()] * len(spans)
    for row in await _rows(conn, query, spans):
        received, paid = row["received"], row["paid"]
        shown = received if query.basis is Basis.CASH else paid
        found[row["place"]] = Sums(row["billed"], shown, received, int(row["invoices"]))
    return found


async def _rows(
    conn: Connection, query: SeriesQuery, spans: Sequence[Span]
) -> Sequence[asyncpg.Record]:
    firsts = [span.start.isoformat() for span in spans]
    period = query.period
    if query.customer_id is None:
        return await conn.fetch(
            _queries.of_business, query.business_id, period.start, period.end, firsts
        )
    if not await conn.fetchval(_queries.has_customer, query.business_id, query.customer_id):
        raise NotFound("customer")
    return await conn.fetch(
        _queries.of_customer,
        query.business_id,
        query.customer_id,
        period.start,
        period.end,
        firsts,
    )
