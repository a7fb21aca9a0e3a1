"""Shows how much work waits: the gauges of mails, batches, schedules, events and queues."""

import math
from datetime import timedelta
from typing import Final

import asyncpg
from prometheus_client import Gauge

from services.api.relay.gauges import Gauges
from services.api.relay.metrics import RelayMetrics
from shared.amqp import topology
from shared.amqp.publisher import Publisher
from shared.db import sql
from shared.db.databases import MAIN
from shared.db.postgres import Connection

_QUERIES = sql.load("services.api.relay", "backlog.sql")
_EVERY: Final = timedelta(seconds=5)
_STAGES: Final = ("scheduled", "due", "held", "queued", "sending", "in_doubt")
_PHASES: Final = ("scheduled", "waiting", "expanding", "sending")
_SCHEDULES: Final = ("due", "failing", "paused")
# The queues that all databases have in common; each has one of deliveries beside them.
_COMMON: Final = {
    "send_requests": topology.SEND_REQUESTS,
    "dead_letters": topology.DEAD_LETTERS,
}
_CONSIDERED: Final = 1_000  # mails that were handed back, and mails in the queue
_COUNTED: Final = 10_000  # mails of a stage, so that a large backlog is not read whole each time


class Backlog:
    """Reads the gauges every five seconds; while they cannot be read, they are NaN.

    An old number would say that all is well while nobody knows.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        publisher: Publisher,
        metrics: RelayMetrics,
        gauges: Gauges | None = None,
        database: str = MAIN,
    ) -> None:
        """Show the numbers of `database` in `gauges`, which several databases share."""
        self._gauges = gauges or Gauges()
        self._database = database
        self._queues = {"deliveries": topology.deliveries_of(database)} | _COMMON
        self._pool = pool
        self._publisher = publisher
        self._metrics = metrics
        self._forget_stored()
        self._forget_queues()

    async def step(self) -> timedelta:
        """Set all gauges, and return the time until the next step."""
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await self._read_stored(conn)
        except Exception:
            self._forget_stored()
            self._forget_queues()
            raise
        try:
            sizes = await self._publisher.sizes(self._queues.values())
        except Exception:
            self._forget_queues()
            raise
        for name, queue in self._queues.items():
            self._set_queue(name, sizes[queue])
        return _EVERY

    async def _read_stored(self, conn: Connection) -> None:
        # The due mails may be in many pages; their number does not decide how to find them.
        await conn.execute("SET LOCAL enable_seqscan = off")
        metrics = self._metrics
        self._set_age(metrics.overdue, await conn.fetchval(_QUERIES.overdue, _CONSIDERED))
        self._set_age(metrics.unpublished, await conn.fetchval(_QUERIES.oldest_event) or 0)
        self._fill(metrics.deliveries, dict(await conn.fetchrow(_QUERIES.stages, _COUNTED) or {}))
        found = await conn.fetch(_QUERIES.batches_by_phase)
        phases = {row["phase"]: row["number"] for row in found}
        self._fill(metrics.batches, dict.fromkeys(_PHASES, 0) | phases)
        self._fill(metrics.schedules, dict(await conn.fetchrow(_QUERIES.schedules_by_state) or {}))

    def _forget_stored(self) -> None:
        self._set_age(self._metrics.overdue, math.nan)
        self._set_age(self._metrics.unpublished, math.nan)
        self._fill(self._metrics.deliveries, dict.fromkeys(_STAGES, math.nan))
        self._fill(self._metrics.batches, dict.fromkeys(_PHASES, math.nan))
        self._fill(self._metrics.schedules, dict.fromkeys(_SCHEDULES, math.nan))

    def _forget_queues(self) -> None:
        for name in self._queues:
            self._set_queue(name, math.nan)

    def _fill(self, gauge: Gauge, numbers: dict[str, float]) -> None:
        for label, number in numbers.items():
            self._gauges.set(self._database, gauge, number, label)

    def _set_age(self, gauge: Gauge, seconds: float) -> None:
        self._gauges.set(self._database, gauge, seconds, combine=max)

    def _set_queue(self, name: str, messages: float) -> None:
        # Each database reads the same number of a queue that all have in common.
        combine = max if name in _COMMON else sum
        self._gauges.set(self._database, self._metrics.queued, messages, name, combine=combine)
