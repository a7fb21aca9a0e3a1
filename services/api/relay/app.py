"""The relay's composition root; the relay is a separate process or a part of the API's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg
from prometheus_client import CollectorRegistry, Counter

from services.api.access.admission import Admission
from services.api.intake.answers import Answers
from services.api.intake.consumer import Intake
from services.api.intake.replies import Replies
from services.api.relay.dispatcher import Dispatcher
from services.api.relay.freezer import Freezer
from services.api.relay.listener import listen
from services.api.relay.loops import Bell, Neighbours, run_forever
from services.api.relay.outbox import Outbox
from services.api.relay.pruner import Pruner
from services.api.relay.sweeper import Sweeper
from services.api.sends.terms import Terms
from shared.amqp.publisher import Publisher
from shared.db import postgres
from shared.db.login import warned
from shared.db.readiness import check_postgres
from shared.process import metrics
from shared.process.health import Health
from shared.process.ops import serve_ops
from shared.process.settings import RelaySettings

_RETRY_PAUSE = timedelta(seconds=1)
# In the pool; the listener has one more.
DATABASE_CONNECTIONS = 14
LAST_STEP = 25.0  # seconds for the current steps when the relay has to stop


@asynccontextmanager
async def relaying(
    settings: RelaySettings, health: Health, counted: CollectorRegistry | None = None
) -> AsyncIterator[asyncpg.Pool]:
    """Run all loops of the relay in the `async with`, and finish the current batches at its end.

    Yields the connection pool that the loops share.
    """
    published = Counter(
        "ledgerpost_wakeups_published",
        "Wake-ups for due deliveries that RabbitMQ confirmed",
        registry=counted,
    )
    async with postgres.pool(
        settings.database_url, name="ledgerpost-relay", size=DATABASE_CONNECTIONS
    ) as pool:
        publisher = Publisher(settings.amqp_url, "ledgerpost-relay")
        events = Publisher(settings.amqp_url, "ledgerpost-relay-events")
        answering = Publisher(settings.amqp_url, "ledgerpost-relay-answers")
        replies = Replies(settings.amqp_url, settings.reply_to_prefix)
        freezer = Freezer(pool)
        dispatcher = Dispatcher(
            pool,
            freezer,
            publisher,
            published,
            poll=settings.poll_interval,
            patience=settings.queue_patience,
        )
        sweeper = Sweeper(
            pool,
            publisher,
            dispatcher,
            interval=settings.sweep_interval,
            patience=settings.queue_patience,
            resend_after=(
                settings.smtp_reply_timeout if settings.in_doubt_policy == "resend" else None
            ),
        )
        stop, neighbours = asyncio.Event(), Neighbours()
        due, calm, answered = Bell(stop), Bell(stop), Bell(stop)
        outbox = Outbox(pool, events, poll=settings.poll_interval, patience=settings.queue_patience)
        answers = Answers(
            pool, answering, poll=settings.poll_interval, patience=settings.queue_patience
        )
        intake = Intake(
            settings.amqp_url,
            pool,
            answering,
            replies,
            Admission(settings.rate_limit),
            Terms.of(settings),
            health,
            answered.wake.set,
        )
        pruner = Pruner(pool, history=settings.history_retention, events=settings.event_retention)
        listener = asyncio.create_task(listen(settings.database_url, due.wake))
        loops = [
            asyncio.create_task(
                run_forever("dispatcher", dispatcher.step, due, health, _RETRY_PAUSE, neighbours)
            ),
            asyncio.create_task(
                run_forever("sweeper", sweeper.step, calm, health, _RETRY_PAUSE, neighbours)
            ),
            asyncio.create_task(
                run_forever("outbox", outbox.step, calm, health, _RETRY_PAUSE, neighbours)
            ),
            asyncio.create_task(
                run_forever("answers", answers.step, answered, health, _RETRY_PAUSE, neighbours)
            ),
            asyncio.create_task(intake.run(stop)),
            asyncio.create_task(
                run_forever("pruner", pruner.step, calm, health, _RETRY_PAUSE, neighbours)
            ),
        ]
        try:
            yield pool
        finally:
            listener.cancel()
            for event in (stop, due.wake, calm.wake, answered.wake):
                event.set()
            _, unfinished = await asyncio.wait(loops, timeout=LAST_STEP)
            for loop in unfinished:
                loop.cancel()
            await asyncio.gather(listener, *loops, return_exceptions=True)
            await freezer.close()
            await publisher.close()
            await events.close()
            await answering.close()
            await replies.close()


async def run(settings: RelaySettings, stop: asyncio.Event) -> None:
    """Run the relay as a separate process until `stop` is set."""
    health, counted = Health(), metrics.registry()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(warned(settings.database_url))
        pool = await stack.enter_async_context(relaying(settings, health, counted))
        health.register("postgres", partial(check_postgres, pool))
        await stack.enter_async_context(
            serve_ops(
                "RELAY_OPS",
                settings.relay_ops_host,
                settings.relay_ops_port,
                health,
                counted,
            )
        )
        await stop.wait()
