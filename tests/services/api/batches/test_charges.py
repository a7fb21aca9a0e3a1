"""Each customer of a batch is charged by itself: what one of them gains, no other one pays for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from services.api.batches import expand
from services.api.batches.accept import MadeBy, accept, admit
from services.api.batches.model import Batch
from tests.services.api.batches.expanding import TERMS, begin, connected, mails, skipped, step
from tests.services.api.batches.requests import accepted, wanted

_FULL = replace(TERMS, daily_quota=4)
_ROOMY = replace(TERMS, daily_quota=100)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database) as opened:
        yield opened


async def _gain(conn: asyncpg.Connection, customer: int, addresses: str) -> None:
    await conn.execute(
        "UPDATE customers SET business_email = $2 WHERE business_id = 1 AND id = $1",
        *(customer, addresses),
    )


async def _waiting(conn: asyncpg.Connection) -> Batch:
    """Store a batch that waits for a day with room."""
    made_by, small = MadeBy(UUID(int=7), date(2024, 11, 30)), replace(TERMS, daily_quota=1)
    return await accept(conn, 1, wanted(skip_empty=False), small, schedule=made_by)


async def _expand(conn: asyncpg.Connection, batch: UUID) -> dict[int, int]:
    """Expand a batch while the quota is used up; return the mails of each customer."""
    while await conn.fetchval("SELECT phase FROM batches") == "expanding":
        await step(conn, terms=_FULL)
    made: dict[int, int] = {}
    for customer, _ in await mails(conn, batch):
        made[customer] = made.get(customer, 0) + 1
    assert await conn.fetchval("SELECT charged = recipients FROM batches")
    return made


@pytest.mark.parametrize("in_a_step", [1, 2, 200])
@pytest.mark.parametrize("waited", [False, True])
async def test_who_gained_no_address_is_mailed(
    conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, in_a_step: int, *, waited: bool
) -> None:
    monkeypatch.setattr(expand, "STEP", in_a_step)
    await begin(conn, 1, 2, 3, 4)
    if waited:
        batch = await _waiting(conn)
        assert await admit(conn, batch.id, _FULL)
    else:
        batch = await accepted(conn, _FULL, skip_empty=False)
    assert await conn.fetchval("SELECT array_agg(charged) FROM batch_customers") == [1] * 4
    await _gain(conn, 1, "a@x.com, b@x.com, c@x.com")
    assert await _expand(conn, batch.id) == {2: 1, 3: 1, 4: 1}
    assert await skipped(conn, batch.id) == {1: "over_quota"}


async def test_what_others_no_longer_need_is_there_for_who_gained(
    conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "STEP", 1)
    await begin(conn, 1, 2, 3)
    await _gain(conn, 1, "a@x.com, b@x.com")
    batch = await accepted(conn, _FULL, skip_empty=False)
    await _gain(conn, 1, "a@x.com")
    await _gain(conn, 2, "a@x.com, b@x.com")
    assert await _expand(conn, batch.id) == {1: 1, 2: 2, 3: 1}
    assert await skipped(conn, batch.id) == {}


async def test_who_was_deleted_while_the_batch_waited_pays_for_nobody(
    conn: asyncpg.Connection,
) -> None:
    await begin(conn, 1, 2, 3, 4, 5)
    batch = await _waiting(conn)
    await conn.execute("DELETE FROM customers WHERE business_id = 1 AND id = 5")
    assert await admit(conn, batch.id, _FULL)
    await _gain(conn, 1, "a@x.com, b@x.com")
    assert await _expand(conn, batch.id) == {2: 1, 3: 1, 4: 1}
    assert await skipped(conn, batch.id) == {1: "over_quota", 5: "customer_deleted"}


async def test_a_batch_from_before_0043_is_expanded(conn: asyncpg.Connection) -> None:
    """Its customers have no charge of their own: whoever comes first has the room."""
    await begin(conn, 1, 2, 3, 4)
    batch = await accepted(conn, _FULL, skip_empty=False)
    await conn.execute("UPDATE batch_customers SET charged = NULL")
    await _gain(conn, 1, "a@x.com, b@x.com")
    assert await _expand(conn, batch.id) == {1: 2, 2: 1, 3: 1}
    assert await skipped(conn, batch.id) == {4: "over_quota"}


async def test_who_gained_is_charged_while_there_is_room(conn: asyncpg.Connection) -> None:
    await begin(conn, 1, 2)
    batch = await accepted(conn, _ROOMY, skip_empty=False)
    await _gain(conn, 1, "a@x.com, b@x.com")
    await step(conn, terms=_ROOMY)
    assert len(await mails(conn, batch.id)) == 3
    assert await conn.fetchval("SELECT sum(used) FROM due_recipients") == 3
