"""The relay's composition root; the relay is a separate process or a part of the API's."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import asyncpg
from prometheus_client import CollectorRegistry

from services.api.access.admission import Admission
from services.api.intake.consumer import Intake
from services.api.intake.databases import Databases
from services.api.intake.replies import Replies
from services.api.relay.database_loops import (
    Bells,
    DatabaseLoops,
    Publishers,
    cut_off,
    opened,
)
from services.api.relay.gauges import Gauges
from services.api.relay.metrics import RelayMetrics
from services.api.sends.terms import Terms
from shared.db.login import warned
from shared.db.overlap import Overlap
from shared.db.pool_metrics import PoolMetrics
from shared.db.readiness import check_postgres
from shared.deliveries import operator
from shared.process import descriptors, metrics, tracing
from shared.process.health import Health
from shared.process.ops import serve_ops
from shared.process.resources import Resources
from shared.process.sampling import sampling
from shared.process.settings import RelaySettings
from shared.returns.about_us import Warnings


@asynccontextmanager
async def relaying(
    settings: RelaySettings,
    health: Health,
    counted: CollectorRegistry | None = None,
    databases: PoolMetrics | None = None,
) -> AsyncIterator[Mapping[str, asyncpg.Pool]]:
    """Run all loops of the relay in the `async with`, and finish the current batches at its end.

    Yields the connection pools, which the loops of one database share, by the database's name.
    """
    measured, publishers, stop = RelayMetrics(counted), Publishers(settings), asyncio.Event()
    gauges = Gauges()
    async with AsyncExitStack() as stack:
        pools = {
            each.name: await stack.enter_async_context(opened(each, databases))
            for each in settings.databases
        }
        for each in settings.databases:
            health.warn(each.label("returns"), Warnings(pools[each.name]).said)
        replies = Replies(settings.amqp_url, settings.reply_to_prefix)
        stack.push_async_callback(replies.close)
        stack.push_async_callback(publishers.close)
        bells = {name: Bells(stop) for name in pools}
        overlap = Overlap(pools, operator.pause)
        if len(pools) > 1:
            stack.callback(asyncio.create_task(overlap.watch()).cancel)
        loops = [
            DatabaseLoops(
                each,
                pools[each.name],
                bells[each.name],
                settings,
                publishers,
                measured,
                gauges,
                health,
                overlap,
            )
            for each in settings.databases
        ]
        intakes = [
            asyncio.create_task(each.run(stop))
            for each in _intakes(settings, pools, bells, publishers, replies, health)
        ]
        try:
            yield pools
        finally:
            stop.set()
            await asyncio.gather(*(each.end() for each in loops), cut_off(intakes))
            await asyncio.gather(*intakes, return_exceptions=True)


def _intakes(
    settings: RelaySettings,
    pools: Mapping[str, asyncpg.Pool],
    bells: Mapping[str, Bells],
    publishers: Publishers,
    replies: Replies,
    health: Health,
) -> Iterator[Intake]:
    """Yield the consumer of requests; with several databases, also one for each of them."""
    databases, admission = Databases(pools), Admission(settings.rate_limit)
    waiting = pools if len(pools) > 1 else ()
    for home in (None, *waiting):
        yield Intake(
            settings.amqp_url,
            databases,
            home,
            publishers.answers,
            replies,
            admission,
            Terms.of(settings),
            health,
            lambda name: bells[name].answered.wake.set(),
        )


async def run(settings: RelaySettings, stop: asyncio.Event) -> None:
    """Run the relay as a separate process until `stop` is set."""
    health, counted = Health(), metrics.registry()
    databases = PoolMetrics(counted)
    async with AsyncExitStack() as stack:
        endpoint = settings.otel_exporter_otlp_endpoint
        await stack.enter_async_context(tracing.recording(endpoint, "ledgerpost-relay"))
        for each in settings.databases:
            await stack.enter_async_context(warned(each.url))
        pools = await stack.enter_async_context(relaying(settings, health, counted, databases))
        for each in settings.databases:
            health.register(each.label("postgres"), partial(check_postgres, pools[each.name]))
        await stack.enter_async_context(sampling(descriptors.Watch(counted).look))
        await stack.enter_async_context(Resources(counted).watching(health))
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
