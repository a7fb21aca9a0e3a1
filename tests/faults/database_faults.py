"""Postgres restarts, hangs, or refuses at the worst moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import asyncpg

from tests.faults import tap
from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Wait


@fault("fault-15-postgres-restarts", "killed", "stopped", breaks="postgres")
async def restarts(world: World, rng: Random, variant: str) -> None:
    postgres = world.neighbours.postgres
    world.relay()
    world.mailer()
    for customer in (4, 5):
        await world.send(150, customer=customer)
    for _ in range(2):
        await world.until_count("state = 'sent'", rng.randrange(1, 100))
        end = postgres.kill if variant == "killed" else postgres.stop
        await asyncio.to_thread(end)
        await asyncio.sleep(rng.uniform(0, 1.5))
        await asyncio.to_thread(postgres.start)
    await world.settled()
    assert all(child.alive for child in world.children)


@fault("fault-15-half-open-listener")
async def half_open_listener(world: World, rng: Random) -> None:
    """Only the poll finds due rows: no listener reconnects before all mails are sent."""
    postgres = await world.tapped()
    listening = postgres.trap(tap.LISTEN, "nothing")
    world.relay(DATABASE_URL=postgres.url)
    world.mailer()
    await world.send()
    await world.settled()
    others = [postgres.trap(tap.LISTEN, "request") for _ in range(60)]
    (await listening.reached()).silent = True  # nobody told the listener
    await world.send(rng.randrange(30), customer=5)
    await world.settled()
    # A listener that falls silent while it connects is given up as well.
    await others[0].reached()
    await others[1].reached()
    await world.send(rng.randrange(30), customer=7)
    await world.settled()


@fault("fault-15-half-open-pool", "of-the-relay", "of-the-worker")
async def half_open_pool(world: World, rng: Random, variant: str) -> None:
    """Every connection hangs at once, in the middle of a mail; new ones work."""
    replying = Wait(asyncio.Event())
    slow = world.judge.on("dot", replying, times=1)
    postgres = await world.tapped()
    through = {"DATABASE_URL": postgres.url}
    world.relay(**(through if variant == "of-the-relay" else {}))
    world.mailer(**(through if variant == "of-the-worker" else {}))
    await world.send(rng.randrange(20))
    await world.met(slow)
    postgres.half_open()
    await world.send(rng.randrange(20), customer=5)
    replying.event.set()
    await world.settled(240)
    assert await world.count("state = 'sent'") == await world.count("true")
    assert all(child.alive for child in world.children)


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
        await world.settled()
        await world.until(back, "another listener")


@fault("fault-16-writes-refused-at-the-gate", breaks="postgres")
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


@fault("fault-16-writes-refused-at-the-result", "until-it-dies", "for-a-while", breaks="postgres")
async def refused_at_result(world: World, rng: Random, variant: str) -> None:
    replying = Wait(asyncio.Event())
    slow = world.judge.on("dot", replying, times=1)
    world.relay()
    mailer = world.mailer()
    await world.send()
    await world.met(slow)
    async with _refusing_writes(world):
        replying.event.set()
        await world.judge.until(lambda judge: bool(judge.accepted))
        await asyncio.sleep(rng.uniform(0.5, 4))
        if variant == "until-it-dies":
            await world.kill_mailer(mailer)
            assert world.injected == 1
    if variant == "until-it-dies":
        world.mailer()
        await world.until_count("state = 'in_doubt'", 1)
        await asyncio.sleep(5)
    else:
        await world.until_count("state = 'sent'", 1)


@fault("fault-16-ambiguous-commit", "reset", "silent")
async def ambiguous_commit(world: World, rng: Random, variant: str) -> None:
    """The gate commits but its answer never arrives: no dot, and so no attempt."""
    postgres = await world.tapped()
    world.relay()
    world.mailer(DATABASE_URL=postgres.url)
    trap = postgres.trap(tap.GATE, "answer")
    await world.send(rng.randrange(3))
    link = await trap.reached()
    # A batch may hold several mails; none of those that wait for this answer may go out. On a busy
    # machine the first may be handed back before we look.
    await world.until_count(_PAST_THE_GATE, 1)
    doubtful = await world.fetch(f"SELECT id FROM deliveries WHERE {_PAST_THE_GATE}")
    if variant == "reset":
        link.reset()
    await world.until(lambda: _aborted(world), "a mail broken off before its dot")
    await world.settled()
    handed_back = await world.fetch(
        "SELECT delivery_id FROM delivery_events WHERE state = 'deferred' AND attempts = 0"
    )
    assert {row["id"] for row in doubtful} <= {row["delivery_id"] for row in handed_back}
    assert await world.count("state = 'sent'") == await world.count("true")


_LISTENERS = """SELECT pid, {} FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'ledgerpost-listener'"""


_PAST_THE_GATE = "(attempts = 1 AND state <> 'sent' OR state = 'deferred')"
_REFUSAL = "default_transaction_read_only"


@asynccontextmanager
async def _refusing_writes(world: World) -> AsyncIterator[None]:
    """Let Postgres refuse all writes within the block, also in open sessions."""
    await world.fetch(f"SET {_REFUSAL} = off")  # but not ours, which has to end it
    try:
        await _configure(world, f"ALTER SYSTEM SET {_REFUSAL} = on")
        yield
    finally:
        await _configure(world, f"ALTER SYSTEM RESET {_REFUSAL}")


async def _configure(world: World, statement: str) -> None:
    """Change a setting of the server; return once its sessions use it."""
    witness = await asyncpg.connect(world.dsn)
    try:
        before = await witness.fetchval(f"SHOW {_REFUSAL}")
        await world.fetch(statement)
        await world.fetch("SELECT pg_reload_conf()")

        async def heeded() -> bool:
            return bool(await witness.fetchval(f"SHOW {_REFUSAL}") != before)

        await world.until(heeded, statement)
    finally:
        await witness.close()
    await asyncio.sleep(0.2)  # the other sessions were told in the same moment


async def _aborted(world: World) -> bool:
    return bool(world.judge.aborted)
