"""Postgres restarts, falls silent, or refuses at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from tests.faults import tap
from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Delay


@fault("fault-15-postgres-restarts")
async def restarts(world: World, rng: Random) -> None:
    postgres = world.neighbours.postgres
    world.relay()
    world.mailer()
    for customer in (4, 5):
        await world.send(150, customer=customer)
    for _ in range(2):
        await world.until_count("state = 'sent'", rng.randrange(1, 100))
        end = postgres.kill if rng.random() < 0.5 else postgres.stop
        await asyncio.to_thread(end)
        await asyncio.sleep(rng.uniform(0, 1.5))
        await asyncio.to_thread(postgres.start)
    await world.settled()
    assert all(child.alive for child in world.children)


@fault("fault-15-half-open-connections")
async def half_open(world: World, rng: Random) -> None:
    postgres = await world.tapped()
    listening = postgres.trap(tap.LISTEN, "nothing")
    world.relay(DATABASE_URL=postgres.url)
    world.mailer()
    await world.send()
    await world.settled()
    (await listening.reached()).silent = True  # nobody told the listener
    await world.send(rng.randrange(30), customer=5)
    await world.settled(5)  # by the poll alone


@fault("fault-15-listener-terminated")
async def listener_terminated(world: World, rng: Random) -> None:
    world.relay(POLL_INTERVAL="1h")
    world.mailer()
    await world.send()
    await world.settled()
    for customer in (5, 7) if world.full else (5,):
        gone = await world.fetch(_LISTENERS.format("pg_terminate_backend(pid)"))
        assert len(gone) == 1

        async def back(before: int = gone[0]["pid"]) -> bool:
            rows = await world.fetch(_LISTENERS.format("true"))
            return any(row["pid"] != before for row in rows)

        if rng.random() < 0.5:
            await world.until(back, "another listener")
        await world.send(rng.randrange(30), customer=customer)
        await world.settled(20)
        await world.until(back, "another listener")


@fault("fault-16-writes-refused-at-the-gate")
async def refused_at_gate(world: World, rng: Random) -> None:
    postgres = await world.tapped()
    world.relay()
    world.mailer(DATABASE_URL=postgres.url)
    trap = postgres.trap(tap.GATE, "request")
    await world.send(rng.randrange(3))
    await trap.reached()
    async with _refusing_writes(world):
        trap.released.set()
        await world.until(lambda: _aborted(world), "a mail broken off before its dot")
        await asyncio.sleep(rng.uniform(0, 1))
        assert not world.judge.accepted
    await world.settled()
    assert await world.count("state = 'sent'") == await world.count("true")


@fault("fault-16-writes-refused-at-the-result")
async def refused_at_result(world: World, rng: Random) -> None:
    slow = world.judge.on("dot", Delay(1), times=1)
    world.relay()
    mailer = world.mailer()
    await world.send()
    await world.met(slow)
    async with _refusing_writes(world):
        await world.judge.until(lambda judge: bool(judge.accepted))
        await asyncio.sleep(rng.uniform(0.5, 4))
        if dies := rng.random() < 0.5:
            await world.kill_mailer(mailer)
            assert world.injected == 1
    if dies:
        world.mailer()
        await world.until_count("state = 'in_doubt'", 1)
        await asyncio.sleep(3)
    else:
        await world.until_count("state = 'sent'", 1)


@fault("fault-16-ambiguous-commit")
async def ambiguous_commit(world: World, rng: Random) -> None:
    """The gate commits and its answer never comes: no dot, and the owner hands its attempt back."""
    postgres = await world.tapped()
    world.relay()
    world.mailer(DATABASE_URL=postgres.url)
    trap = postgres.trap(tap.GATE, "answer")
    await world.send(rng.randrange(3))
    link = await trap.reached()
    await world.until_count("state = 'committing'", 1)
    if cut := rng.random() < 0.5:
        link.reset()
    await world.until(lambda: _aborted(world), "a mail broken off before its dot")
    # A batch may hold several mails; none of those that wait for this answer has gone out.
    doubtful = set(await _committing(world))
    assert not doubtful & {mail.delivery for mail in world.judge.accepted}
    world.note(f"the connection was {'reset' if cut else 'silent'}")
    await world.settled()
    assert await world.count("state = 'sent'") == await world.count("true")


_LISTENERS = """SELECT pid, {} FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = '' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


_REFUSAL = "default_transaction_read_only"


@asynccontextmanager
async def _refusing_writes(world: World) -> AsyncIterator[None]:
    """Let Postgres refuse all writes meanwhile, of sessions that are open too."""
    await world.fetch(f"SET {_REFUSAL} = off")  # but not ours, which has to end it
    try:
        await _configure(world, f"ALTER SYSTEM SET {_REFUSAL} = on")
        yield
    finally:
        await _configure(world, f"ALTER SYSTEM RESET {_REFUSAL}")


async def _configure(world: World, statement: str) -> None:
    await world.fetch(statement)
    await world.fetch("SELECT pg_reload_conf()")
    await asyncio.sleep(0.5)  # the postmaster passes it on, and backends heed it when idle


async def _aborted(world: World) -> bool:
    return bool(world.judge.aborted)


async def _committing(world: World) -> list[str]:
    rows = await world.fetch("SELECT id FROM deliveries WHERE state = 'committing'")
    return [str(row["id"]) for row in rows]
