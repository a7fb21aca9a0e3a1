"""Who is mailed by a frozen list, how often and how long it is good, and its pages."""

import asyncio
from datetime import date
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.api.batches import frozen_lists
from services.api.batches.frozen_lists import LISTS_MAX
from services.api.batches.history import CustomersQuery
from services.api.batches.model import Batch
from services.api.core.refusals import Busy, InvalidInput, NotFound
from shared.period import Period
from tests.services.api.batches.expanding import skipped
from tests.services.api.batches.requests import accepted, wanted
from tests.services.api.batches.trying import (
    carried_out,
    frozen,
    lists,
    mailed,
    planned_mails,
    planned_skips,
    tried,
)
from tests.services.api.locks import blocked

BEGIN = """
UPDATE customers SET business_email = 'a@x.com; b@y.com' WHERE business_id = 1 AND id = 5
"""
ESI, GONE, TWO = "esi@customers.example.com", "Gone@Customers.example.com", ["a@x.com", "b@y.com"]


@pytest.fixture(autouse=True)
async def two_addresses(owing: None, ledger: asyncpg.Connection) -> None:
    await ledger.execute(BEGIN)


async def test_exactly_the_list_is_mailed_and_charged(ledger: asyncpg.Connection) -> None:
    listed = await frozen(ledger)
    batch = await carried_out(ledger, frozen_list=listed)
    assert await mailed(ledger, batch) == {4: [ESI], 5: TWO, 6: [GONE]}
    # Those whom the dry run skipped are not on the list, so they are no customers of the batch.
    assert await skipped(ledger, batch) == {}
    row = await ledger.fetchrow("SELECT customers, charged, frozen_list FROM batches")
    assert tuple(row or ()) == (3, 4, UUID(listed))
    assert await ledger.fetchval("SELECT sum(used) FROM due_recipients") == 4
    assert await ledger.fetchval("SELECT count(*) FROM frozen_list_customers") == 0


CHANGES = {
    "a new address": "UPDATE customers SET business_email = 'new@x.com' WHERE id = {}",
    "one more address": "UPDATE customers SET business_email = 'a@x.com, b@y.com, c@z.com'"
    " WHERE id = {}",
    "one address less": "UPDATE customers SET business_email = 'b@y.com' WHERE id = {}",
    "no address": "UPDATE customers SET business_email = NULL WHERE id = {}",
    "a malformed address": "UPDATE customers SET business_email = 'a@x.com; call me' WHERE id = {}",
    "deleted": "DELETE FROM customers WHERE business_id = 1 AND id = {}",
    "an address is suppressed": "INSERT INTO suppressions (business_id, email_key, reason)"
    " VALUES (1, 'b@y.com', 'gone')",
    "all addresses are suppressed": "INSERT INTO suppressions (business_id, email_key, reason)"
    " VALUES (1, 'a@x.com', 'gone'), (1, 'b@y.com', 'gone')",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_who_has_changed_since_is_skipped_and_counted(
    ledger: asyncpg.Connection, change: str
) -> None:
    listed = await frozen(ledger)
    await ledger.execute(change.format(5))
    again = await tried(ledger, frozen_list=listed)
    assert (again.customers, again.recipients) == (3, 2)
    assert again.skipped == {"audience_changed": 1}
    assert str(again.frozen_list and again.frozen_list.id) == listed
    batch = await carried_out(ledger, frozen_list=listed)
    assert await mailed(ledger, batch) == planned_mails(again) == {4: [ESI], 6: [GONE]}
    assert await skipped(ledger, batch) == planned_skips(again) == {5: "audience_changed"}


STILL_THE_SAME = {
    "another name": "UPDATE customers SET business_name = 'New' WHERE id = 5",
    "written differently": "UPDATE customers SET business_email = 'A@x.com , B@Y.com' WHERE id = 5",
    "a new customer": "INSERT INTO customers (business_id, id, owner_id, business_email,"
    " opening_balance) VALUES (1, 99, 1, 'n@x.com', 10)",
    "a foreign suppression": "INSERT INTO suppressions (business_id, email_key, reason)"
    " VALUES (2, 'a@x.com', 'gone')",
    "not selected any more": "UPDATE customers SET archived = 1 WHERE id = 5",
    "an address for another": "UPDATE customers SET business_email = 'n@x.com' WHERE id = 7",
}


@pytest.mark.parametrize("change", STILL_THE_SAME.values(), ids=STILL_THE_SAME)
async def test_who_has_not_changed_is_mailed_and_nobody_else(
    ledger: asyncpg.Connection, change: str
) -> None:
    listed = await frozen(ledger)
    await ledger.execute(change)
    batch = await carried_out(ledger, frozen_list=listed)
    sent = await mailed(ledger, batch)
    assert {customer: [to.lower() for to in tos] for customer, tos in sent.items()} == {
        4: [ESI], 5: TWO, 6: [GONE.lower()],
    }  # fmt: skip


async def test_who_owes_nothing_any_more_is_skipped_for_that(ledger: asyncpg.Connection) -> None:
    listed = await frozen(ledger, min_balance=1)
    await ledger.execute("UPDATE customers SET opening_balance = 0 WHERE id = 5")
    batch = await carried_out(ledger, frozen_list=listed, min_balance=1)
    assert list(await mailed(ledger, batch)) == [4, 6]
    assert await skipped(ledger, batch) == {5: "statement_empty"}


async def test_a_list_is_good_for_one_batch(ledger: asyncpg.Connection) -> None:
    listed = await frozen(ledger)
    await accepted(ledger, frozen_list=listed)
    for attempt in (accepted, tried):
        with pytest.raises(NotFound, match="There is no such frozen list; it may have been used"):
            await attempt(ledger, frozen_list=listed)
    assert await ledger.fetchval("SELECT count(*) FROM batches") == 1


async def test_of_two_requests_at_once_one_makes_the_batch(
    database: str, ledger: asyncpg.Connection
) -> None:
    listed = await frozen(ledger)

    async def one(pool: asyncpg.Pool) -> Batch:
        async with pool.acquire() as conn:
            return await accepted(conn, frozen_list=listed)

    async with asyncpg.create_pool(database, min_size=8, max_size=8) as pool:
        made = await asyncio.gather(*(one(pool) for _ in range(8)), return_exceptions=True)
    assert [type(each) for each in made if not isinstance(each, NotFound | Busy)] == [Batch]
    assert await ledger.fetchval("SELECT count(*) FROM batches") == 1
    assert await ledger.fetchval("SELECT count(*) FROM batch_customers") == 3


async def test_who_waits_for_the_list_finds_it_used(
    database: str, ledger: asyncpg.Connection
) -> None:
    """Acceptances of one business take turns already; the list must not rely on that."""
    listed = UUID(await frozen(ledger))
    period, other = Period(date(2024, 11, 1), date(2024, 11, 30)), await asyncpg.connect(database)
    asked = wanted(frozen_list=str(listed))
    async with ledger.transaction():
        held = await frozen_lists.hold(ledger, 1, asked, listed, period)
        assert (held.customers, held.recipients) == (3, 4)
        second = asyncio.create_task(frozen_lists.hold(other, 1, asked, listed, period))
        await blocked(other, ledger)
        assert not second.done()
        await frozen_lists.drop(ledger, listed)
    with pytest.raises(NotFound):
        await second
    await other.close()


async def test_a_refused_request_leaves_the_list(ledger: asyncpg.Connection) -> None:
    listed = await frozen(ledger, send_at="2031-05-01")
    with pytest.raises(InvalidInput):
        await accepted(ledger, frozen_list=listed)
    await accepted(ledger, frozen_list=listed, send_at="2031-05-01")


async def test_the_list_of_another_business_is_as_good_as_none(ledger: asyncpg.Connection) -> None:
    foreign = await frozen(ledger, business=2)
    said = set()
    for listed in (foreign, str(uuid4())):
        for attempt in (accepted, tried):
            with pytest.raises(NotFound) as refused:
                await attempt(ledger, frozen_list=listed)
            said.add(str(refused.value))
    assert len(said) == 1
    assert await lists(ledger, 2) == [foreign]


async def test_a_list_is_good_for_a_day_by_the_clock_of_the_database(
    ledger: asyncpg.Connection,
) -> None:
    listed = await frozen(ledger)
    age = """UPDATE frozen_lists SET created_at = now() - $1::interval,
                 expires_at = now() - $1::interval + interval '24 hours'"""
    await ledger.execute(age.replace("$1", "'23:59:50'"))
    await tried(ledger, frozen_list=listed)
    await ledger.execute(age.replace("$1", "'24:00:00'"))
    for attempt in (accepted, tried):
        with pytest.raises(NotFound):
            await attempt(ledger, frozen_list=listed)


async def test_the_oldest_list_goes_when_there_are_too_many(ledger: asyncpg.Connection) -> None:
    other = await frozen(ledger, business=2)
    made = [await frozen(ledger) for _ in range(LISTS_MAX)]
    assert await lists(ledger) == made
    # Whoever tries a list makes none, and a used one counts no more.
    await tried(ledger, frozen_list=made[3])
    await accepted(ledger, frozen_list=made.pop(5))
    made.append(await frozen(ledger))
    assert await lists(ledger) == made
    made.append(await frozen(ledger))
    assert await lists(ledger) == made[1:]
    assert await lists(ledger, 2) == [other]
    kept = await ledger.fetchval("SELECT count(DISTINCT list_id) FROM frozen_list_customers")
    assert kept == LISTS_MAX + 1


async def test_the_pages_of_a_list_have_each_customer_once(ledger: asyncpg.Connection) -> None:
    listed = UUID(await frozen(ledger))
    await ledger.execute("DELETE FROM customers WHERE business_id = 1 AND id = 5")
    await ledger.execute("UPDATE customers SET business_name = 'New' WHERE business_id = 1")
    expected = [(4, "New", [ESI]), (5, None, TWO), (6, "New", [GONE.lower()])]
    for limit in range(1, 5):
        found, cursor, pages = [], None, 0
        while pages == 0 or cursor is not None:
            asked = CustomersQuery(limit=limit, cursor=cursor)
            page = await frozen_lists.page(ledger, 1, listed, asked)
            assert len(page.data) <= limit
            found += page.data
            cursor, pages = page.next_cursor, pages + 1
        shown = [(each.customer_id, each.business_name, list(each.recipients)) for each in found]
        assert shown == expected
        assert pages == -(-3 // limit)


async def test_the_pages_of_a_list_end_with_it(ledger: asyncpg.Connection) -> None:
    first, other = UUID(await frozen(ledger)), UUID(await frozen(ledger))
    foreign = UUID(await frozen(ledger, business=2))
    cursor = (await frozen_lists.page(ledger, 1, first, CustomersQuery(limit=1))).next_cursor
    with pytest.raises(InvalidInput, match="cursor"):
        await frozen_lists.page(ledger, 1, other, CustomersQuery(limit=1, cursor=cursor))
    await accepted(ledger, frozen_list=str(first))
    await ledger.execute(
        "UPDATE frozen_lists SET created_at = now() - interval '1 day', expires_at = now()"
        " WHERE id = $1",
        other,
    )
    for gone in (first, other, foreign):
        with pytest.raises(NotFound):
            await frozen_lists.page(ledger, 1, gone, CustomersQuery())
