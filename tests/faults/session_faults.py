"""Sessions with Postgres that are not usable: pooler, fail-over, settings, rights."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from urllib.parse import urlsplit

from shared.amqp import topology
from tests.faults import queue
from tests.faults.cases import fault
from tests.faults.processes import Child
from tests.faults.world import World
from tests.pgbouncer import pooled

_ENDED = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'ledgerpost-%'"""
_ALTERED = {
    "isolation": "default_transaction_isolation = 'serializable'",
    "synchronous-commit": "synchronous_commit = off",
}


def _says(child: Child, words: str) -> Callable[[], Awaitable[bool]]:
    async def said() -> bool:
        return words in child.tail()

    return said


@fault("sessions-of-a-pool-of-transactions")
async def pool_of_transactions(world: World, rng: Random) -> None:
    """The mailer refuses the session and mails nothing; one with its own sessions takes over."""
    world.relay()
    async with pooled(world.dsn) as through:
        refused = world.mailer(DATABASE_URL=through)
        await world.send(others := rng.randrange(20))
        await world.until_count("published_at IS NOT NULL", 1 + others)
        await world.until(_says(refused, "pool_mode=session"), "the mailer refuses the pooler")
        await asyncio.sleep(rng.uniform(0, 2))
        assert not world.judge.accepted
        await refused.stop()
    assert await queue.length(world.amqp, topology.DEAD_LETTERS) == 0
    world.mailer()
    await world.settled()
    assert await world.count("state = 'sent'") == 1 + others


@fault("sessions-with-other-defaults", *_ALTERED)
async def other_defaults(world: World, rng: Random, variant: str) -> None:
    await _alter(world, f"SET {_ALTERED[variant]}")
    for _ in range(2):
        world.relay()
        world.mailer()
    for customer in (4, 5, 7):
        await world.send(rng.randrange(20, 75), customer=customer)
    await world.settled()
    assert await world.count("state = 'sent' AND attempts = 1") == await world.count("true")
    assert await queue.length(world.amqp, topology.DEAD_LETTERS) == 0


@fault("sessions-fail-over-to-a-reader-and-back")
async def fail_over(world: World, rng: Random) -> None:
    world.relay()
    world.mailer()
    await world.send(rng.randrange(20))
    await world.until_count("state = 'sent'", 1)
    await world.fetch("SET default_transaction_read_only = off")
    await _alter(world, "SET default_transaction_read_only = on")
    await world.fetch(_ENDED)
    await asyncio.sleep(rng.uniform(1, 4))
    await _alter(world, "RESET default_transaction_read_only")
    await world.settled()
    await world.send(rng.randrange(20), customer=5)
    await world.settled()
    assert await queue.length(world.amqp, topology.DEAD_LETTERS) == 0


@fault("sessions-without-a-table")
async def without_a_table(world: World, rng: Random) -> None:
    """As before a migration: the worker waits, and there are no dead letters."""
    relay = world.relay()
    await world.send(others := rng.randrange(20))
    await world.until_count("published_at IS NOT NULL", 1 + others)
    await relay.stop()
    await world.fetch("ALTER TABLE pauses RENAME TO still_to_come")
    mailer = world.mailer()
    await asyncio.sleep(rng.uniform(2, 4))
    assert mailer.alive
    assert not world.judge.accepted
    await world.fetch("ALTER TABLE still_to_come RENAME TO pauses")
    world.relay()
    await world.settled()
    assert await queue.length(world.amqp, topology.DEAD_LETTERS) == 0


async def _alter(world: World, change: str) -> None:
    await world.fetch(f'ALTER DATABASE "{urlsplit(world.dsn).path[1:]}" {change}')
