"""What is remembered of a list: it is of one version of the ledger, and of one business."""

import asyncpg
import pytest

from services.api.reports.listing import store
from services.api.reports.listing.handlers import LIST_CACHES
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.conftest import Serve
from tests.services.api.ledgers import new_key
from tests.services.api.reports.listing.walks import ids, links

LIST = f"{REPORTS}/{NOVEMBER}"
PAGE = f"{LIST}?per_page=2&sort=-balance"
CHANGES = (
    "UPDATE customers SET opening_balance = opening_balance + 10000000000 WHERE id = 7",
    "UPDATE invoices SET total = total + 99999 WHERE id = 12",
    "INSERT INTO customers (business_id, id, owner_id, opening_balance) VALUES (1, 99, 1, 5e12)",
    "UPDATE customers SET business_name = 'New' WHERE id = 99",
    "DELETE FROM customers WHERE id = 99",
    "TRUNCATE payments",
)


@pytest.mark.parametrize("options", ["", "&meta=1", "&format=csv", "&compare=previous-year"])
async def test_an_answer_is_never_older_than_the_ledger(
    golden: str, serve: Serve, options: str
) -> None:
    """Two processes, of which each has remembered the page, and one that has nothing yet."""
    conn = await asyncpg.connect(golden)
    key = await new_key(golden)
    old = [await serve(golden), await serve(golden)]
    for change in CHANGES:
        for api in old:
            await api.get(f"{PAGE}{options}", key=key)
        await conn.execute(change)
        fresh = await (await serve(golden)).get(f"{PAGE}{options}", key=key)
        for api in old:
            answer = await api.get(f"{PAGE}{options}", key=key)
            assert _undated(answer.text) == _undated(fresh.text)
            assert answer.headers["Link"] == fresh.headers["Link"]
            assert answer.headers["ETag"] == fresh.headers["ETag"]
    await conn.close()


def _undated(text: str) -> str:
    before, _, after = text.partition('"generated_at":"')
    return before + after.partition('"')[2]


async def test_a_page_is_of_one_business(reader: Api, other_key: str) -> None:
    mine = await reader.get(PAGE)
    theirs = await reader.get(PAGE, key=other_key)
    assert mine.headers["ETag"] != theirs.headers["ETag"]
    assert mine.text != theirs.text
    assert (await reader.get(PAGE)).text == mine.text
    assert (await reader.get(PAGE, key=other_key)).text == theirs.text


async def test_a_ledger_that_changes_while_it_is_read_is_read_in_one_snapshot(
    api: Api, golden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A customer goes between the query for the order and the query for the rows."""
    conn = await asyncpg.connect(golden)
    rank = store.ListStore._rank
    gone: list[int] = []

    async def interrupted(*given: object) -> object:
        found = await rank(*given)  # type: ignore[arg-type]
        if not gone:
            gone.append(2)
            await conn.execute("DELETE FROM customers WHERE business_id = 1 AND id = 2")
        return found

    monkeypatch.setattr(store.ListStore, "_rank", interrupted)
    answer = await api.get(f"{LIST}?per_page=3&sort=id")

    assert ids(answer.json) == [1, 3, 4]
    assert answer.headers["X-Total-Count"] == "6"
    assert ids((await api.get(links(answer)["next"])).json) == [5, 6, 7]
    await conn.close()


async def test_an_unchanged_page_is_answered_from_memory(
    reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{PAGE}&min_balance=-1000"
    first = await reader.get(path)

    async def unread(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(store.ListStore, "current_page", unread)
    assert (await reader.get(path)).text == first.text
    assert reader.app[LIST_CACHES]["main"]._size > len(first.text)
