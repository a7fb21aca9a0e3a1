"""By cursor, each row whose place stays the same is on exactly one page, at every page size.

VIEWS_PAGING=all walks at every size from 1 on; the default takes one small size for each order.
"""

import os
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import asyncpg
import pytest

from tests.services.api.api_client import REPORTS, Api
from tests.services.api.conftest import Serve
from tests.services.api.ledgers import new_key
from tests.services.api.views import rows
from tests.services.api.views.case import Case, links
from tests.services.api.views.random_ledgers import Writer
from tests.services.api.views.wire import read as read_json

PERIOD = "2024-01-01/2024-12-31"
SORTS = [f"{sign}{name}" for name in rows.SORTS for sign in ("", "-")]
EVERY = os.environ.get("VIEWS_PAGING") == "all"


@pytest.fixture
async def ledger(database: str, serve: Serve) -> AsyncIterator[tuple[Api, asyncpg.Connection]]:
    """A random ledger in which many values are equal or NULL."""
    conn = await asyncpg.connect(database)
    await Writer(conn, 5).begin()
    # Balances that are equal, and names that are equal, empty or NULL.
    await conn.execute("""
        INSERT INTO customers (id, business_id, owner_id, opening_balance, business_name)
        SELECT 100 + n, 1, 1, n % 3, (ARRAY[NULL, '', 'Same', 'same', 'Zoë'])[1 + n % 5]
        FROM generate_series(1, 20) n""")
    api = await serve(database)
    api.key = await new_key(database)
    yield api, conn
    await conn.close()


async def walk(api: Api, path: str, between: Any = None) -> list[Any]:
    """The ids on all pages; `between` is called before each page but the first."""
    seen: list[Any] = []
    url: str | None = f"{REPORTS}/{path}"
    while url:
        answer = await api.get(url)
        assert answer.status == 200, answer.text
        found = read_json(answer.text)
        seen += [each["id"] for each in (found if isinstance(found, list) else found["data"])]
        url = links(answer).get("next")
        if url and between:
            await between()
    return seen


def sizes(random: Random, count: int) -> list[int]:
    every = range(1, count + 2)
    return list(every) if EVERY else [random.randint(1, 7)]


@pytest.mark.timeout(900)
async def test_pages_of_every_order_are_the_list(ledger: tuple[Api, Any]) -> None:
    api, _ = ledger
    for sort in SORTS:
        whole = await walk(api, f"{PERIOD}?sort={sort}")
        assert len(set(whole)) == len(whole) > 25
        for size in sizes(Random(sort), len(whole)):
            path = f"{PERIOD}?sort={sort}&per_page={size}"
            assert await walk(api, path) == whole, path


@pytest.mark.timeout(900)
@pytest.mark.parametrize("sort", ["-balance", "business_name", "-business_name"])
async def test_rows_that_stay_are_on_one_page_while_others_come_and_go(
    sort: str, ledger: tuple[Api, asyncpg.Connection]
) -> None:
    api, conn = ledger
    random = Random(sort)
    added: list[int] = []

    async def between() -> None:
        """Add and delete customers on both sides of the cursor, with equal values too."""
        if added and random.random() < 0.4:
            await conn.execute("DELETE FROM customers WHERE id = $1", added.pop(0))
        number = random.choice([*range(1, 100), *range(200, 400)]) * 1000 + random.randint(0, 999)
        await conn.execute(
            "INSERT INTO customers (id, business_id, owner_id, opening_balance, business_name)"
            " VALUES ($1, 1, 1, $2, $3) ON CONFLICT DO NOTHING",
            number,
            random.randint(-1, 3),
            random.choice([None, "", "Same", "same", "Aa", "Zz"]),
        )
        added.append(number)

    whole = await walk(api, f"{PERIOD}?sort={sort}")
    for size in sizes(random, len(whole)):
        # What was added in the walk before is among those who stay in this one.
        staying = set(await walk(api, f"{PERIOD}?sort={sort}")) - set(map(str, added))
        seen = await walk(api, f"{PERIOD}?sort={sort}&per_page={size}", between)
        stayed = [each for each in seen if each in staying]
        assert len(stayed) == len(set(stayed)) == len(staying), (sort, size)
        assert len(seen) == len(set(seen)), (sort, size)


async def test_the_list_says_where_its_other_pages_are(ledger: tuple[Api, Any]) -> None:
    api, conn = ledger
    case = await Case.of(api, conn, 1, Random(1))
    whole = await walk(api, f"{PERIOD}?sort=id")
    first = await case.get(f"{PERIOD}?sort=id&per_page=4")
    second = await api.get(links(first)["next"])
    assert [each["id"] for each in read_json(second.text)] == whole[4:8]
    for relation, expected in (("first", whole[:4]), ("prev", whole[:4]), ("last", whole[-4:])):
        page = await api.get(links(second)[relation])
        ids = [each["id"] for each in read_json(page.text)]
        # The last page may begin where the last of all pages begins, or have the last four rows.
        assert ids == expected or (relation == "last" and ids == whole[-len(ids) :]), relation
    assert "next" not in links(await api.get(links(second)["last"]))
    assert "prev" not in links(first)
