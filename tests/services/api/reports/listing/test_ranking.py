"""A ranking reads no more of the customers than it compares."""

from datetime import date

import asyncpg

from services.api.core.query_string import parse_query
from services.api.reports.listing import query
from services.api.reports.listing.model import Listing
from services.api.reports.model import ReportQuery
from services.api.reports.options import ListOptions
from services.api.reports.query import BOUNDED, EXACT
from shared.period import Period
from tests.services.api.ledgers import load_large

_ALL = (("sort", "-balance"), ("per_page", "50"))
_QUERY = ReportQuery(1, Period(date(2024, 11, 1), date(2024, 11, 30)))


async def test_a_ranking_by_balance_reads_opening_balances_from_their_index(database: str) -> None:
    """So whatever else is known of the customers costs nothing."""
    await load_large(database, customers=2000, each=1)
    listing = Listing(_QUERY, parse_query(ListOptions, _ALL))
    conn = await asyncpg.connect(database)
    # Of a table of some pages the planner may read all, if something kept VACUUM from a page.
    await conn.execute("VACUUM ANALYZE customers")
    await conn.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    for counting in (BOUNDED, EXACT):
        text = query.ranking(listing, counting, None, 50)
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {text}"))
        scans = [line for line in plan.splitlines() if " on customers " in line]
        assert all("Index Only Scan" in scan for scan in scans), plan
        assert "customers_summed" in "".join(scans)
    await conn.close()
