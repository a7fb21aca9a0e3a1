"""Paging, at every page size: nothing is lost and nothing comes twice."""

import random
from collections.abc import AsyncIterator
from itertools import chain

import asyncpg
import pytest

from tests.services.api.api_client import REPORTS, Answer, Api
from tests.services.api.conftest import Serve
from tests.services.api.ledgers import new_key
from tests.services.api.reports.listing.walks import ids, last, links, pages

LIST = f"{REPORTS}/2024-01-01/2024-12-31"
CUSTOMERS = 11
STAYS = 6  # the customers up to this id stay as they are while others come and go
# Equal balances, NULL and equal names, and customers without payments.
_LEDGER = """
INSERT INTO businesses (id, owner_id, name, currency, timezone) VALUES (1, 1, 'One', 'EUR', 'UTC');
INSERT INTO customers (id, business_id, owner_id, business_name, opening_balance, created_at)
    SELECT n, 1, 1, (ARRAY[NULL, 'b', 'B', 'a', NULL, 'Äb', ''])[1 + n % 7],
        (ARRAY[10, 10, -5, 0.0001])[1 + n % 4], '2020-01-01'::date + n % 3
    FROM generate_series(1, 11) n;
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    SELECT n, 1, n, 'N', 'invoice', 'issued', '2024-03-01', n % 3 FROM generate_series(1, 6) n;
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
    SELECT n, 1, n, '2024-04-01', n % 2, 'manual', 'settled' FROM generate_series(1, 4) n;
"""
_WRITE = """
INSERT INTO customers (id, business_id, owner_id, business_name, opening_balance)
VALUES ($1, 1, 1, $2, $3)
ON CONFLICT (business_id, id) DO UPDATE
SET business_name = excluded.business_name, opening_balance = excluded.opening_balance
"""
SORTS = ("balance", "business_name", "amount_paid", "created_at", "average_payment_terms", "id")
BOTH_WAYS = [f"{sign}{field}" for field in SORTS for sign in ("", "-")]


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database)
    await conn.execute(_LEDGER)
    yield conn
    await conn.close()


@pytest.fixture
async def api(ledger: asyncpg.Connection, database: str, serve: Serve) -> Api:
    api = await serve(database)
    api.key = await new_key(database)
    return api


def _rows(answers: list[Answer]) -> list[object]:
    return list(chain.from_iterable(answer.json for answer in answers))


@pytest.mark.parametrize("sort", BOTH_WAYS)
async def test_pages_of_every_size_are_the_list(api: Api, sort: str) -> None:
    rows = (await api.get(f"{LIST}?sort={sort}")).json
    assert len(rows) == CUSTOMERS
    for size in range(1, CUSTOMERS + 2):
        path = f"{LIST}?sort={sort}&per_page={size}"
        forward = [page async for page in pages(api, path)]
        backward = [page async for page in pages(api, await last(api, path), "prev")]
        by_number = [page async for page in pages(api, f"{path}&page=1")]

        assert _rows(forward) == rows
        assert _rows(backward[::-1]) == rows
        assert [page.json for page in by_number] == [page.json for page in forward]
        assert {page.headers["X-Total-Count"] for page in forward} == {str(CUSTOMERS)}


@pytest.mark.parametrize("sort", ["-balance", "balance", "business_name", "-business_name"])
async def test_rows_that_stay_come_once_while_others_come_and_go(
    api: Api, ledger: asyncpg.Connection, sort: str
) -> None:
    luck = random.Random(sort)
    for size in range(1, CUSTOMERS + 1):
        path = f"{LIST}?sort={sort}&per_page={size}"
        for direction, start in (("next", path), ("prev", await last(api, path))):
            came: list[int] = []
            async for page in pages(api, start, direction):
                came += ids(page.json) if direction == "next" else ids(page.json)[::-1]
                await _write(ledger, luck)
            in_order = ids((await api.get(f"{LIST}?sort={sort}")).json)
            stayed = [each for each in in_order if each <= STAYS]
            expected = stayed if direction == "next" else stayed[::-1]
            assert [each for each in came if each <= STAYS] == expected


async def _write(ledger: asyncpg.Connection, luck: random.Random) -> None:
    """Delete, insert or move one of the customers that do not stay."""
    customer = luck.randint(STAYS + 1, CUSTOMERS + 3)
    balance, name = luck.choice([10, -5, 0, 25]), luck.choice([None, "b", "a", "zz"])
    if luck.random() < 0.4:
        await ledger.execute("DELETE FROM customers WHERE id = $1", customer)
    else:
        await ledger.execute(_WRITE, customer, name, balance)


async def test_a_page_whose_rows_are_gone_leads_back(api: Api, ledger: asyncpg.Connection) -> None:
    first = await api.get(f"{LIST}?sort=id&per_page=6")
    await ledger.execute("DELETE FROM customers WHERE id > 6")
    empty = await api.get(links(first)["next"])

    assert (empty.json, empty.headers["X-Total-Count"]) == ([], "6")
    assert "next" not in links(empty)
    assert ids((await api.get(links(empty)["prev"])).json) == [1, 2, 3, 4, 5, 6]


async def test_a_page_beyond_the_last_is_empty(api: Api) -> None:
    beyond = await api.get(f"{LIST}?per_page=4&page=1000000000")

    assert beyond.json == []
    assert links(beyond)["prev"].endswith("page=3")
    assert links(beyond)["last"].endswith("page=3")
    assert "next" not in links(beyond)


async def test_an_empty_list_has_one_empty_page(api: Api) -> None:
    answer = await api.get(f"{LIST}?per_page=4&q=nobody")

    assert (answer.json, answer.headers["X-Total-Count"]) == ([], "0")
    assert set(links(answer)) == {"first", "last"}
    assert (await api.get(links(answer)["last"])).json == []


async def test_a_page_shows_the_ledger_as_it_is(api: Api, ledger: asyncpg.Connection) -> None:
    path = f"{LIST}?per_page=3"
    before = await api.get(path)
    assert (await api.get(path)).text == before.text
    await ledger.execute("UPDATE customers SET opening_balance = 99 WHERE id = 9")
    after = await api.get(path)

    assert after.headers["ETag"] != before.headers["ETag"]
    assert (after.json[0]["id"], after.json[0]["balance"]) == (9, 99)


async def test_large_amounts_are_paged_exactly(api: Api, ledger: asyncpg.Connection) -> None:
    """They do not fit into the machine integers in which others are counted."""
    await ledger.execute(
        "UPDATE customers SET opening_balance = 99999999999999.9998 - id % 2 * 0.0001"
    )
    rows = (await api.get(f"{LIST}?sort=-balance")).json
    for size in (1, 3, 11):
        found = [page async for page in pages(api, f"{LIST}?sort=-balance&per_page={size}")]
        assert _rows(found) == rows
    assert '"balance":99999999999999.9998,' in (await api.get(f"{LIST}?per_page=11")).text
