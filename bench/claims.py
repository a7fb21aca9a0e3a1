"""The effect of many scheduled rows on the claims of due ones."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import timedelta
from statistics import median
from typing import TypeVar

import asyncpg

from bench import deliveries, ledger, publishing
from shared.deliveries import relay, worker
from shared.deliveries.states import State
from shared.deliveries.worker import Verdict

_BATCH = 500
_LEASE = timedelta(seconds=30)
Result = TypeVar("Result")
STEPS = ("the relay's claim of 500", "the mailer's claim of 50", "the next due time")


def run(url: str, few: int, many: int, *, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of each step with few and with many scheduled rows: medians."""
    dsns = [asyncio.run(ledger.create(url)) for _ in range(2)]
    try:
        for dsn, number in zip(dsns, (few, many), strict=True):
            asyncio.run(ledger.fill(dsn, customers=100, invoices=100))
            deliveries.add(dsn, number, due_in="30 days", customers=100)
        found: list[dict[str, list[float]]] = [{step: [] for step in STEPS} for _ in dsns]
        for _ in range(rounds):
            for dsn, times in zip(dsns, found, strict=True):
                deliveries.add(dsn, _BATCH, customers=100)
                publishing.freeze(dsn)
                deliveries.on(dsn, lambda conn, times=times: _round(conn, times))
        first, second = found
        return {step: (median(first[step]), median(second[step])) for step in STEPS}
    finally:
        for dsn in dsns:
            asyncio.run(ledger.drop(url, dsn))


async def _round(conn: asyncpg.Connection, times: dict[str, list[float]]) -> None:
    # As in the processes.
    await conn.execute(
        "SET jit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
    )
    # The first use of this connection makes the plans, which is not measured.
    for _ in range(6):
        await relay.next_due(conn)
    batch = await _timed(times[STEPS[0]], relay.enqueue(conn, _BATCH, _LEASE))
    assert len(batch.queued) == _BATCH
    for place in range(0, _BATCH, 50):
        some = batch.queued[place : place + 50]
        claims = await _timed(times[STEPS[1]], worker.claim(conn, some, _LEASE))
        verdicts = [Verdict(claim, State.FAILED) for claim in claims.values()]
        assert len(await worker.record(conn, verdicts)) == 50
    await _timed(times[STEPS[2]], relay.next_due(conn))


async def _timed(times: list[float], work: Awaitable[Result]) -> Result:
    started = time.perf_counter()
    result = await work
    times.append((time.perf_counter() - started) * 1000)
    return result
