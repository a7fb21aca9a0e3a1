"""Leases are renewed while a mail is in flight, and not afterwards."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.mailer.delivery import claims as module
from services.mailer.delivery.claims import Claims
from shared.db import postgres
from shared.deliveries import relay, worker
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from tests.logged import Logged
from tests.roles import acting
from tests.shared.deliveries.conftest import submit

_LEASE = timedelta(seconds=3)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


class Foreign:
    count = 0

    def met(self) -> None:
        self.count += 1


@pytest.fixture
def foreign() -> Foreign:
    return Foreign()


@pytest.fixture
async def claims(database: str, foreign: Foreign) -> AsyncIterator[Claims]:
    async with postgres.pool(acting(database, "mailer"), name="test", size=3) as pool:
        claims = Claims(pool, _LEASE, foreign.met)
        renewing = asyncio.create_task(claims.renew())
        yield claims
        renewing.cancel()


async def queued(conn: asyncpg.Connection) -> UUID:
    [delivery] = await submit(conn, ["a@x.example"])
    await relay.enqueue(conn, 10, _LEASE)
    return delivery


async def lease(conn: asyncpg.Connection) -> timedelta:
    left: timedelta = await conn.fetchval("SELECT max(lease_until) - now() FROM deliveries")
    return left


async def claimed(claims: Claims, conn: asyncpg.Connection) -> Claim:
    claim = await claims.claim(await queued(conn))
    assert claim is not None
    return claim


async def test_a_lease_runs_on_while_the_row_is_held_and_no_longer(
    claims: Claims, conn: asyncpg.Connection
) -> None:
    claim = await claimed(claims, conn)
    until = await conn.fetchval("SELECT lease_until FROM deliveries")
    async with asyncio.timeout(180):
        while await conn.fetchval("SELECT lease_until FROM deliveries") == until:
            await asyncio.sleep(0.05)
    claims.release(claim)
    until = await conn.fetchval("SELECT lease_until FROM deliveries")
    await asyncio.sleep(1.5 * _LEASE.total_seconds() / 3)
    assert await conn.fetchval("SELECT lease_until FROM deliveries") == until


async def test_wakeups_of_another_database_are_told_from_those_that_come_again(
    claims: Claims, conn: asyncpg.Connection, foreign: Foreign
) -> None:
    claim = await claimed(claims, conn)
    assert await claims.claim(claim.id) is None
    assert foreign.count == 0
    assert await asyncio.gather(*(claims.claim(uuid4()) for _ in range(3))) == [None] * 3
    assert foreign.count == 3


async def claimed_again(claims: Claims, conn: asyncpg.Connection) -> tuple[Claim, Claim]:
    """Return two claims on one delivery, of which only the second is valid."""
    older = await claimed(claims, conn)
    await worker.record(conn, [Verdict(older, State.DEFERRED, counts=False)])
    await relay.enqueue(conn, 10, _LEASE)
    newer = await claims.claim(older.id)
    assert newer is not None
    return older, newer


async def test_of_two_claims_in_one_group_commit_only_the_newer_passes_and_decides(
    claims: Claims, conn: asyncpg.Connection
) -> None:
    older, newer = await claimed_again(claims, conn)
    assert await asyncio.gather(claims.gate(older), claims.gate(newer)) == [False, True]
    late = Verdict(older, State.DEFERRED, counts=False)
    sent = Verdict(newer, State.SENT, "250 ok")
    assert await asyncio.gather(claims.record(late), claims.record(sent)) == [False, True]
    assert await conn.fetchval("SELECT state FROM deliveries") == "sent"


async def test_an_older_claim_on_a_row_does_not_release_the_newer(
    claims: Claims, conn: asyncpg.Connection
) -> None:
    older, newer = await claimed_again(claims, conn)
    claims.release(older)
    assert claims._claims == {newer.id: newer}
    claims.release(newer)
    assert claims._claims == {}


async def test_renewing_goes_on_after_an_unexpected_error(
    claims: Claims, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    failures = [ZeroDivisionError("once"), ConnectionResetError("twice")]
    renew = Claims._renew_all

    async def flaky(self: Claims) -> None:
        if failures:
            raise failures.pop()
        await renew(self)

    monkeypatch.setattr(Claims, "_renew_all", flaky)
    await claimed(claims, conn)
    until = await conn.fetchval("SELECT lease_until FROM deliveries")
    async with asyncio.timeout(180):
        while await conn.fetchval("SELECT lease_until FROM deliveries") == until:
            await asyncio.sleep(0.05)
        while len(told := _told(logged)) < 2:
            await asyncio.sleep(0.05)
    assert not failures
    assert told == ["leases_not_renewed", "leases_not_renewed_over"]


def _told(logged: Logged) -> list[str]:
    return [each["event"] for each in logged() if each["event"].startswith("leases")]


async def test_renewing_waits_for_no_lock_longer_than_the_lease_can_spare(
    claims: Claims, conn: asyncpg.Connection, database: str
) -> None:
    claim = await claimed(claims, conn)
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute("SELECT FROM deliveries FOR UPDATE")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(claims._renew_all(), _LEASE.total_seconds())
    finally:
        await other.close()
    await claims._renew_all()
    assert await worker.gate(conn, [claim], _LEASE) == {claim.key}


async def test_what_postgres_refuses_for_good_is_not_tried_for_ever(
    claims: Claims, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.001)
    claim = await claimed(claims, conn)
    await conn.execute("ALTER TABLE deliveries ADD CHECK (reply <> 'refused')")
    with pytest.raises(asyncpg.CheckViolationError):
        await claims.record(Verdict(claim, State.SENT, "refused"))
    assert claims._claims == {claim.id: claim}, "the caller releases it"
    assert await claims.record(Verdict(claim, State.SENT, "250 ok"))
