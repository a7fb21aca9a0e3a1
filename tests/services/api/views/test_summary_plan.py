"""A summary reads no more of the customers than it adds up."""

from datetime import date

import asyncpg

from services.api.core.query_string import parse_query
from services.api.reports.model import ReportQuery
from services.api.reports.query import BOUNDED, EXACT
from services.api.views.summary.model import SummaryOptions
from services.api.views.summary.query import SummaryQuery, summary
from shared.period import Period
from tests.services.api.ledgers import load_large

_NOVEMBER = ReportQuery(1, Period(date(2024, 11, 1), date(2024, 11, 30)))


async def test_a_summary_reads_customers_from_an_index(database: str) -> None:
    """So what else is known of the customers costs nothing."""
    await load_large(database, customers=2000, each=1)
    asked = SummaryQuery(_NOVEMBER, parse_query(SummaryOptions, ()))
    conn = await asyncpg.connect(database)
    # Of a table of some pages the planner may read all, if something kept VACUUM from a page.
    await conn.execute("VACUUM ANALYZE customers")
    await conn.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    for counting in (BOUNDED, EXACT):
        found = await conn.fetch(f"EXPLAIN {summary(asked, counting, 0, largest=10)}")
        plan = "\n".join(row[0] for row in found)
        assert "Index Only Scan using customers_summed on customers" in plan
    await conn.close()
