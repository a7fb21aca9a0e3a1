import asyncio
import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.api.core.parsing import parse
from services.api.core.refusals import OverQuota
from services.api.idempotency.store import IdempotencyKey
from services.api.sends.accept import Accepted, accept
from services.api.sends.changes import reschedule
from services.api.sends.request import SendBody, SendRequest
from services.api.sends.terms import Terms
from shared.db import postgres
from tests.services.api.sends.calls import Client, post
from tests.services.api.sends.stored import PERIOD

COUNTED = "SELECT coalesce(sum(used), 0) FROM due_recipients WHERE business_id = $1"
ACCEPTED = "SELECT coalesce(sum(used), 0) FROM daily_recipients WHERE business_id = $1"
BY_DAY = """SELECT day::text, sum(used) FROM due_recipients
    WHERE business_id = 1 GROUP BY day HAVING sum(used) > 0 ORDER BY day"""
FAR, FARTHER = "2031-05-01T23:59:59Z", "2031-05-02T00:00:00Z"


async def send(
    conn: postgres.Connection,
    quota: int,
    others: int = 0,
    key: str | None = None,
    business: int = 1,
    at: str | None = None,
) -> Accepted:
    others_given = [f"a{number}@x.com" for number in range(others)]
    given = {"other_emails": others_given, "send_at": at}
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
    await ledger.execute("UPDATE due_recipients SET day = day - 1")
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
    ledger: asyncpg.Connection, api: Client
) -> None:
    await send(ledger, 5_000, others=898)
    await ledger.execute("UPDATE due_recipients SET used = 157")
    response, problem = await post(api)
    now = datetime.now(UTC)
    assert response.status == 429
    assert response.content_type == "application/problem+json"
    assert problem["type"] == "/problems/over-quota"
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = (midnight - now).total_seconds()
    assert abs(int(response.headers["Retry-After"]) - left) < 60


async def test_the_day_on_which_mails_are_due_is_charged(ledger: asyncpg.Connection) -> None:
    """Not the day of the request: two days may be full and a third not touched."""
    for at in (FAR, FARTHER, None):
        await send(ledger, 20, others=18, at=at)
        with pytest.raises(OverQuota) as refused:
            await send(ledger, 20, others=1, at=at)
        assert (at or datetime.now(UTC).isoformat())[:10] in str(refused.value)
        await send(ledger, 20, at=at)
    today = datetime.now(UTC).date().isoformat()
    rows = [tuple(row) for row in await ledger.fetch(BY_DAY)]
    assert rows == [(today, 20), ("2031-05-01", 20), ("2031-05-02", 20)]


async def test_a_past_time_is_due_today(ledger: asyncpg.Connection) -> None:
    await send(ledger, 5, others=4, at="2001-01-01")
    with pytest.raises(OverQuota):
        await send(ledger, 5)


async def test_four_times_the_quota_is_accepted_on_a_day(ledger: asyncpg.Connection) -> None:
    for month in range(1, 5):
        await send(ledger, 10, others=9, at=f"2031-{month:02}-15")
    with pytest.raises(OverQuota, match="40 recipients accepted on") as refused:
        await send(ledger, 10, at="2031-06-15")
    assert refused.value.retry_after <= timedelta(days=1)
    assert await ledger.fetchval(ACCEPTED, 1) == await ledger.fetchval(COUNTED, 1) == 40


async def test_a_full_day_ahead_stays_full_until_it_is_over(ledger: asyncpg.Connection) -> None:
    await send(ledger, 1, at=FAR)
    with pytest.raises(OverQuota) as refused:
        await send(ledger, 1, at=FAR)
    over = datetime(2031, 5, 2, tzinfo=UTC) - datetime.now(UTC)
    assert abs(refused.value.retry_after - over) < timedelta(minutes=1)


@pytest.mark.parametrize(("before", "after"), [(FAR, FARTHER), (FARTHER, FAR), (None, FAR)])
async def test_a_new_time_moves_the_charge(
    ledger: asyncpg.Connection, before: str | None, after: str
) -> None:
    terms = Terms(max_recipients=1000, max_lateness=timedelta(hours=72), daily_quota=200)
    first = await send(ledger, 200, others=149, at=before)
    await reschedule(ledger, 1, first.send_id, datetime.fromisoformat(after), terms)
    assert [tuple(row) for row in await ledger.fetch(BY_DAY)] == [(after[:10], 150)]
    second = await send(ledger, 200, others=99, at=before)
    with pytest.raises(OverQuota):
        await reschedule(ledger, 1, second.send_id, datetime.fromisoformat(after), terms)
    await send(ledger, 200, others=49, at=after)
    send_at = "SELECT send_at FROM sends WHERE id = $1"
    assert await ledger.fetchval(send_at, second.send_id) != datetime.fromisoformat(after)


async def test_moves_at_once_lose_no_charge(database: str, ledger: asyncpg.Connection) -> None:
    terms = Terms(max_recipients=1000, max_lateness=timedelta(hours=72), daily_quota=400)
    sends = [(await send(ledger, 400, others=9, at=FAR)).send_id for _ in range(20)]
    moments = [datetime.fromisoformat(at) for at in (FAR, FARTHER)]
    choose = random.Random(7)

    async def move(pool: asyncpg.Pool) -> None:
        async with pool.acquire() as conn:
            await reschedule(conn, 1, choose.choice(sends), choose.choice(moments), terms)

    async with asyncpg.create_pool(database, min_size=8, max_size=8) as pool:
        await asyncio.gather(*(move(pool) for _ in range(100)))
    counted = """SELECT (send_at AT TIME ZONE 'UTC')::date::text, count(*)
        FROM sends s JOIN deliveries d ON d.send_id = s.id GROUP BY 1 ORDER BY 1"""
    assert await ledger.fetch(BY_DAY) == await ledger.fetch(counted)
