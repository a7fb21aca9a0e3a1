"""The loops of the relay over one database; each database has its own."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import asyncpg

from services.api.batches.expand import BATCH_CHANNEL
from services.api.intake.answers import Answers
from services.api.relay.backlog import Backlog
from services.api.relay.dispatcher import Dispatcher
from services.api.relay.expander import Expander
from services.api.relay.freezer import Freezer
from services.api.relay.gauges import Gauges
from services.api.relay.listener import listen
from services.api.relay.loops import Bell, Neighbours, Step, run_forever
from services.api.relay.metrics import RelayMetrics
from services.api.relay.outbox import Outbox
from services.api.relay.pruner import Pruner
from services.api.relay.scheduler import Scheduler
from services.api.relay.sweeper import Sweeper
from services.api.sends.terms import Terms
from shared.amqp import topology
from shared.amqp.publisher import Publisher
from shared.db import postgres
from shared.db.databases import Database
from shared.db.overlap import Overlap
from shared.db.pool_metrics import PoolMetrics
from shared.deliveries.relay import DUE_CHANNEL
from shared.process.health import Health
from shared.process.settings import RelaySettings

# In the pool of one database; its listener has one more.
DATABASE_CONNECTIONS: Final = 14
LAST_STEP: Final = 25.0  # seconds for the current steps when the relay has to stop
_RETRY_PAUSE: Final = timedelta(seconds=1)
# The steps of batches and schedules hold a batch or a schedule for a fraction of this time.
_IDLE_TRANSACTION: Final = "10s"


class Publishers:
    """The publishers of wake-ups, events and answers, which the loops of all databases share."""

    def __init__(self, settings: RelaySettings) -> None:
        url, names = settings.amqp_url, [each.name for each in settings.databases]
        self.wakeups = Publisher(url, "ledgerpost-relay", names)
        self.events = Publisher(url, "ledgerpost-relay-events")
        self.answers = Publisher(url, "ledgerpost-relay-answers")

    async def close(self) -> None:
        """Close the connection of each."""
        for each in (self.wakeups, self.events, self.answers):
            await each.close()


@dataclass
class Bells:
    """What wakes the loops of one database, by what wakes them."""

    stop: asyncio.Event
    due: Bell = field(init=False)
    calm: Bell = field(init=False)
    answered: Bell = field(init=False)
    many: Bell = field(init=False)

    def __post_init__(self) -> None:
        """Make the bells."""
        self.due, self.calm, self.answered, self.many = (Bell(self.stop) for _ in range(4))

    def ring(self) -> None:
        """Wake all loops."""
        for bell in (self.due, self.calm, self.answered, self.many):
            bell.wake.set()


@asynccontextmanager
async def opened(
    database: Database, metrics: PoolMetrics | None = None
) -> AsyncIterator[asyncpg.Pool]:
    """Yield the pool that the loops of a database share."""
    async with postgres.pool(
        database.url,
        name=database.label("ledgerpost-relay"),
        size=DATABASE_CONNECTIONS,
        idle=_IDLE_TRANSACTION,
        metrics=metrics,
    ) as pool:
        yield pool


class DatabaseLoops:
    """The running loops of one database; `end` finishes their steps."""

    def __init__(
        self,
        database: Database,
        pool: asyncpg.Pool,
        bells: Bells,
        settings: RelaySettings,
        publishers: Publishers,
        measured: RelayMetrics,
        gauges: Gauges,
        health: Health,
        overlap: Overlap,
    ) -> None:
        """Start the loops; none takes a step before the businesses are known to be here alone."""
        self._pool, self._bells, self._freezer = pool, bells, Freezer(pool)
        wakes = {DUE_CHANNEL: bells.due.wake, BATCH_CHANNEL: bells.many.wake}
        self._listener = asyncio.create_task(listen(database.url, wakes))
        steps = _steps(database, pool, self._freezer, bells, settings, publishers, measured, gauges)
        neighbours = Neighbours()
        health.register(database.label("rabbitmq"), neighbours.rabbitmq.check)
        self._loops = [
            asyncio.create_task(
                run_forever(
                    database.label(name),
                    _compared(step, overlap, database),
                    bell,
                    health,
                    _RETRY_PAUSE,
                    neighbours,
                )
            )
            for name, step, bell in steps
        ]

    async def end(self) -> None:
        """Finish the current steps, for at most 25 seconds; `stop` of the bells is set already."""
        self._listener.cancel()
        self._bells.ring()
        if await cut_off(self._loops):
            # A connection that hangs cannot roll back, and would be waited for.
            self._pool.terminate()
        await asyncio.gather(self._listener, *self._loops, return_exceptions=True)
        await self._freezer.close()


async def cut_off(tasks: Collection[asyncio.Task[None]]) -> bool:
    """Wait for the tasks for at most 25 seconds, and return whether some had to be cancelled."""
    _, unfinished = await asyncio.wait(tasks, timeout=LAST_STEP)
    for task in unfinished:
        task.cancel()
    return bool(unfinished)


def _compared(step: Step, overlap: Overlap, database: Database) -> Step:
    """Return the step, which first has the businesses of the database compared with the others'."""
    if database.alone:
        return step

    async def compared() -> timedelta:
        await overlap.compared(database.name)
        return await step()

    return compared


def _steps(
    database: Database,
    pool: asyncpg.Pool,
    freezer: Freezer,
    bells: Bells,
    settings: RelaySettings,
    publishers: Publishers,
    measured: RelayMetrics,
    gauges: Gauges,
) -> tuple[tuple[str, Step, Bell], ...]:
    """Return the name of each loop, its step, and the bell that wakes it."""
    poll, patience = settings.poll_interval, settings.queue_patience
    dispatcher = Dispatcher(
        pool,
        freezer,
        publishers.wakeups,
        measured.published,
        poll=poll,
        patience=patience,
        queue=topology.deliveries_of(database.name),
    )
    sweeper = Sweeper(
        pool,
        publishers.wakeups,
        dispatcher,
        interval=settings.sweep_interval,
        patience=patience,
        resend_after=settings.smtp_reply_timeout if settings.in_doubt_policy == "resend" else None,
    )
    pruner = Pruner(
        pool,
        history=settings.history_retention,
        events=settings.event_retention,
        returns=settings.return_retention,
    )
    terms = Terms.of(settings)
    scheduler = Scheduler(pool, terms, poll=poll)
    outbox = Outbox(pool, publishers.events, measured.changed, poll=poll, patience=patience)
    backlog = Backlog(pool, publishers.events, measured, gauges, database.name)
    answers = Answers(pool, publishers.answers, poll=poll, patience=patience)
    return (
        ("dispatcher", dispatcher.step, bells.due),
        ("expander", Expander(pool, terms, poll=poll).step, bells.many),
        ("scheduler", scheduler.step, bells.calm),
        ("sweeper", sweeper.step, bells.calm),
        ("outbox", outbox.step, bells.calm),
        ("answers", answers.step, bells.answered),
        ("pruner", pruner.step, bells.calm),
        ("backlog", backlog.step, bells.calm),
    )
