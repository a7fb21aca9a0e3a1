"""The stored status of a send follows from its mails, also under concurrent changes."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from services.api.core import deadline
from services.api.core.refusals import Conflict
from services.api.sends import changes
from shared.deliveries import operator, relay, worker
from shared.deliveries.states import State
from shared.deliveries.worker import Verdict
from tests.services.api.sends.calls import Client
from tests.services.api.sends.stored import TERMS, send
from tests.shared.deliveries.conftest import LEASE

_WORKERS, _STEPS, _SENDS = 6, 60, 5
# By the words of the contract, from the mails alone.
_WRONG = """
SELECT s.id, s.status, s.send_at > now() AS is_ahead, array_agg(d.state) AS states
FROM sends s JOIN deliveries d ON d.send_id = s.id
GROUP BY s.id
HAVING CASE WHEN s.status = 'scheduled' AND s.send_at <= now() THEN 'sending' ELSE s.status END
    <> CASE
    WHEN bool_and(d.state = 'scheduled' AND d.due_at > now()) THEN 'scheduled'
    WHEN bool_or(d.state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred'))
        THEN 'sending'
    WHEN bool_and(d.state = 'sent') THEN 'sent'
    WHEN bool_and(d.state = 'cancelled') THEN 'cancelled'
    WHEN bool_or(d.state IN ('sent', 'in_doubt')) THEN 'partly_failed'
    ELSE 'failed' END
"""
_OUTCOMES = (State.SENT, State.SENT, State.DEFERRED, State.FAILED, State.IN_DOUBT)


class _Worker:
    """Does one thing after another to the same few sends, as relays, mailers and callers do."""

    def __init__(self, conn: asyncpg.Connection, sends: list[UUID], seed: int) -> None:
        self._conn, self._sends, self._choose = conn, sends, random.Random(seed)

    async def step(self) -> None:
        acts: list[Callable[[], Awaitable[object]]] = [
            self._enqueue, self._deliver, self._deliver, self._sweep, self._cancel,
            self._reschedule, self._resolve,
        ]  # fmt: skip
        weights = [6, 6, 6, 2, 1, 3, 2]
        try:
            await self._choose.choices(acts, weights)[0]()
        except (Conflict, asyncpg.DeadlockDetectedError):
            return

    async def _ids(self, *states: str) -> list[UUID]:
        query = "SELECT id FROM deliveries WHERE state = ANY($1) ORDER BY id"
        ids = [row["id"] for row in await self._conn.fetch(query, list(states))]
        return self._choose.sample(ids, min(len(ids), 4))

    async def _enqueue(self) -> None:
        await relay.enqueue(self._conn, 10, LEASE)

    async def _deliver(self) -> None:
        claims = await worker.claim(self._conn, await self._ids("queued"), LEASE)
        for claim in claims.values():
            if await worker.gate(self._conn, [claim], LEASE):
                outcome = self._choose.choice(_OUTCOMES)
                delay = self._choose.choice([timedelta(0), timedelta(hours=1)])
                await worker.record(self._conn, [Verdict(claim, outcome, delay=delay)])

    async def _sweep(self) -> None:
        await self._conn.execute(
            "UPDATE deliveries SET lease_until = now() - interval '1 s' WHERE id = ANY($1)",
            await self._ids("sending", "committing"),
        )
        await relay.sweep(self._conn, 10)

    async def _cancel(self) -> None:
        await changes.cancel(self._conn, 1, self._choose.choice(self._sends))

    async def _reschedule(self) -> None:
        ahead = self._choose.choice([timedelta(0), timedelta(days=1)])
        moment = datetime.now(UTC) + ahead
        which = self._choose.choice(self._sends)
        await changes.reschedule(self._conn, 1, which, moment, TERMS)

    async def _resolve(self) -> None:
        for delivery in await self._ids("in_doubt"):
            how = self._choose.choice(["sent", "resend", "failed"])
            await operator.resolve(self._conn, delivery, how, business_id=1)


@pytest.mark.parametrize("seed", range(3))
async def test_it_is_exact_after_any_changes_at_once(
    database: str, ledger: asyncpg.Connection, seed: int
) -> None:
    sends = [await send(ledger, others=3) for _ in range(_SENDS)]
    digest = "INSERT INTO statements VALUES (1, sha256('{}'), '{}') RETURNING sha256"
    await ledger.execute("UPDATE sends SET statement_sha256 = $1", await ledger.fetchval(digest))
    async with asyncpg.create_pool(database, min_size=_WORKERS, max_size=_WORKERS) as pool:

        async def work(number: int) -> None:
            async with pool.acquire() as conn:
                one = _Worker(conn, sends, seed * 100 + number)
                for _ in range(_STEPS):
                    await one.step()

        await asyncio.gather(*(work(number) for number in range(_WORKERS)))
    assert await ledger.fetch(_WRONG) == []
    assert len(await ledger.fetch("SELECT DISTINCT state FROM deliveries")) > 1


async def test_two_mails_of_a_send_that_end_at_once_end_it(
    database: str, ledger: asyncpg.Connection
) -> None:
    """Neither transaction sees what the other did before it waits for it."""
    await send(ledger, others=1)
    one, two = await ledger.fetch("SELECT id FROM deliveries ORDER BY id")
    end = "UPDATE deliveries SET state = 'failed' WHERE id = $1"
    other = await asyncpg.connect(database)
    try:
        async with ledger.transaction():
            await ledger.execute(end, one["id"])
            second = asyncio.create_task(other.execute(end, two["id"]))
            await asyncio.sleep(0.2)
        await second
    finally:
        await other.close()
    assert await ledger.fetchval("SELECT status FROM sends") == "failed"


async def test_a_list_that_takes_too_long_says_so(
    ledger: asyncpg.Connection, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "_READ_S_MAX", 0.2)
    async with ledger.transaction():
        await ledger.execute("LOCK TABLE sends, suppressions IN ACCESS EXCLUSIVE MODE")
        for path in ("sends?status=failed", "suppressions", "deliveries/in-doubt"):
            response = await api.get(f"/api/v3/{path}")
            problem = await response.json()
            assert (response.status, problem["type"]) == (503, "/problems/unavailable")
            assert "took more than 0.2 seconds" in problem["detail"]
            assert response.headers["Retry-After"] == "5"
    assert (await api.get("/api/v3/sends?status=failed")).status == 200
