import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp.test_utils import TestClient

from services.api.bodies import parse
from services.api.refusals import OverQuota
from services.api.sends.idempotency import IdempotencyKey
from services.api.sends.model import SendBody, SendRequest
from services.api.sends.store import Accepted, Terms, accept
from shared import postgres
from tests.services.api.sends.calls import post
from tests.services.api.sends.stored import PERIOD

COUNTED = "SELECT coalesce(sum(used), 0) FROM daily_recipients WHERE business_id = $1"


async def send(
    conn: postgres.Connection,
    quota: int,
    others: int = 0,
    key: str | None = None,
    business: int = 1,
) -> Accepted:
    given = {"other_emails": [f"a{number}@x.com" for number in range(others)]}
    asked = SendRequest.of(4, PERIOD, parse(SendBody, given))
    terms = Terms(max_recipients=1000, max_lateness=timedelta(hours=72), daily_quota=quota)
    return await accept(conn, business, asked, terms, IdempotencyKey(key) if key else None)


async def test_the_quota_is_used_up_to_the_last_recipient(ledger: asyncpg.Connection) -> None:
    await send(ledger, 100, others=59)
    with pytest.raises(OverQuota):
        await send(ledger, 100, others=40)
    await send(ledger, 100, others=39)
    with pytest.raises(OverQuota):
        await send(ledger, 100)
    await send(ledger, 1, business=2)
    assert await ledger.fetchval("SELECT count(*) FROM deliveries WHERE business_id = 1") == 100
    assert await ledger.fetchval(COUNTED, 1) == 100


async def test_a_quota_smaller_than_the_shares_and_one_of_none(ledger: asyncpg.Connection) -> None:
    for _ in range(3):
        await send(ledger, 3)
    with pytest.raises(OverQuota):
        await send(ledger, 3)
    with pytest.raises(OverQuota):
        await send(ledger, 0, business=2)


async def test_over_the_quota_nothing_is_stored_and_the_key_stays_free(
    ledger: asyncpg.Connection,
) -> None:
    with pytest.raises(OverQuota):
        await send(ledger, 5, others=5, key="k")
    for table in ("sends", "deliveries", "idempotency_keys"):
        assert await ledger.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert not (await send(ledger, 6, others=5, key="k")).replayed


async def test_a_repetition_counts_nothing(ledger: asyncpg.Connection) -> None:
    await send(ledger, 2, others=1, key="k")
    assert (await send(ledger, 2, others=1, key="k")).replayed
    assert await ledger.fetchval(COUNTED, 1) == 2


async def test_a_new_day_has_a_new_quota_and_a_lowered_one_counts_at_once(
    ledger: asyncpg.Connection,
) -> None:
    await send(ledger, 64, others=63)
    with pytest.raises(OverQuota):
        await send(ledger, 32)
    await ledger.execute("UPDATE daily_recipients SET day = day - 1")
    await send(ledger, 64, others=39)
    with pytest.raises(OverQuota):
        await send(ledger, 64, others=24)
    await send(ledger, 64, others=23)
    with pytest.raises(OverQuota):
        await send(ledger, 64)


@pytest.mark.parametrize("quota", [90, 1000])
async def test_requests_at_once_never_take_more_and_leave_nothing_that_fits(
    database: str, ledger: asyncpg.Connection, quota: int
) -> None:
    choose = random.Random(20241122)
    sizes = [choose.randrange(0, 25) for _ in range(200)]
    refused: list[int] = []

    async def one(pool: asyncpg.Pool, others: int) -> None:
        async with pool.acquire() as conn:
            try:
                await send(conn, quota, others, key=str(choose.random()))
            except OverQuota:
                refused.append(others + 1)

    async with asyncpg.create_pool(database, min_size=20, max_size=20) as pool:
        await asyncio.gather(*(one(pool, others) for others in sizes))
    taken = await ledger.fetchval("SELECT count(*) FROM deliveries")
    assert taken == await ledger.fetchval(COUNTED, 1)
    assert taken <= quota
    assert refused
    assert min(refused) > quota - taken or taken == quota
    for _ in range(quota - taken):
        await send(ledger, quota)
    with pytest.raises(OverQuota):
        await send(ledger, quota)


async def test_who_is_over_the_quota_is_told_when_to_come_again(
    ledger: asyncpg.Connection, api: TestClient[Any, Any]
) -> None:
    await send(ledger, 5_000, others=898)
    await ledger.execute("UPDATE daily_recipients SET used = 157")
    response, problem = await post(api)
    now = datetime.now(UTC)
    assert response.status == 429
    assert response.content_type == "application/problem+json"
    assert problem["type"] == "/problems/over-quota"
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = (midnight - now).total_seconds()
    assert abs(int(response.headers["Retry-After"]) - left) < 60
