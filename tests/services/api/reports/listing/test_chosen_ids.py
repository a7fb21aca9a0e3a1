"""A filter selects the same customers for a batch as for the list."""

from datetime import timedelta
from random import Random

import asyncpg
import pytest

from services.api.core.query_string import parse_query
from services.api.reports.filters import Filters
from services.api.reports.listing import query
from services.api.reports.listing.model import Listing
from services.api.reports.model import ReportQuery
from services.api.reports.options import ListOptions
from services.api.reports.query import EXACT
from shared.period import Period
from tests.examples import examples
from tests.services.api.views.random_ledgers import CENTRE, IDS, Writer

EACH = {
    "category_id": ["0", "1", "7", "8"],
    "archived": ["0", "1"],
    "q": ["a", "example", "_", "%"],
    "id": [str(each) for each in IDS["customers"]],
    "active": ["1", "0"],
    "min_balance": ["-100", "0", "0.0001", "50"],
    "max_balance": ["50", "200"],
    "min_owing": ["0", "33.3333"],
}


def given(random: Random) -> list[tuple[str, str]]:
    names = random.sample(sorted(EACH), random.choice([0, 1, 1, 2, 3]))
    repeated = {"id": 5, "category_id": 2}
    return [
        (name, value)
        for name in names
        for value in random.sample(EACH[name], repeated.get(name, 1))
    ]


async def listed(
    conn: asyncpg.Connection, asked: ReportQuery, filters: list[tuple[str, str]]
) -> set[int]:
    listing = Listing(asked, parse_query(ListOptions, filters))
    packed = (await conn.fetchrow(query.ranking(listing, EXACT, None)))["ids"]
    return {int.from_bytes(packed[at : at + 8]) for at in range(0, len(packed), 8)}


@pytest.mark.parametrize("seed", range(examples(3)))
async def test_a_batch_and_the_list_select_the_same(database: str, seed: int) -> None:
    conn, random = await asyncpg.connect(database), Random(seed)
    writer = Writer(conn, seed, far=True)
    await writer.begin()
    sizes = set()
    for _ in range(examples(60)):
        start = CENTRE + timedelta(random.choice([-400, -91, -30, 0]))
        period = Period(start, start + timedelta(random.choice([0, 30, 500])))
        asked, filters = ReportQuery(random.choice([1, 2]), period), given(random)
        chosen = query.chosen_ids(asked, parse_query(Filters, filters))
        rows = await conn.fetch(f"SELECT * FROM ({chosen}) chosen")
        assert {row["id"] for row in rows} == await listed(conn, asked, filters), filters
        sizes.add(len(rows))
    await conn.close()
    assert {0, len(IDS["customers"])} < sizes
