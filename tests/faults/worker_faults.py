"""The mailer crashes or hangs in the middle of a mail."""

import asyncio
import os
import signal
from contextlib import suppress
from random import Random
from typing import Literal

from tests.faults import tap
from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Accept, Delay, Hang, Wait

_MAIL = "esi@customers.example.com"


@fault("fault-04-worker-killed", "claiming", "at-rcpt", "at-data", "at-the-gate")
async def killed_before_gate(world: World, rng: Random, variant: str) -> None:
    postgres = await world.tapped()
    world.relay()
    first = world.mailer(DATABASE_URL=postgres.url)
    if variant in {"claiming", "at-the-gate"}:
        # Once with the claim committed and unknown to the worker, once with the gate unasked.
        trap = (
            postgres.trap(tap.CLAIM, "answer")
            if variant == "claiming"
            else postgres.trap(tap.GATE, "request")
        )
        await world.send(rng.randrange(3))
        await trap.reached()
    else:
        hanging = world.judge.on("rcpt" if variant == "at-rcpt" else "data", Hang(), times=1)
        await world.send(rng.randrange(3))
        await world.met(hanging)
    await world.kill_mailer(first)
    world.mailer()
    await world.settled()


@fault("fault-04-worker-killed-at-any-time")
async def killed_at_any_time(world: World, rng: Random) -> None:
    world.relay()
    send = await world.send(200)
    for _ in range(8 if world.full else 2):
        mailer = world.mailer()
        before = len(world.judge.commands)
        await world.judge.until(lambda judge, before=before: len(judge.commands) > before, 60)  # type: ignore[misc]  # bound
        await asyncio.sleep(rng.uniform(0, 0.3))
        await world.kill_mailer(mailer)
        if not await world.count("state NOT IN ('sent', 'in_doubt', 'committing')"):
            break
    world.mailer()
    await world.send(customer=5)
    await world.settled()
    assert {one["state"] for one in (await world.show(send)).values()} <= {"sent", "in_doubt"}


@fault("fault-04-rendering-process-killed")
async def rendering_process_killed(world: World, rng: Random) -> None:
    """The processes that render die again and again; the worker lives on, and so does each mail."""
    world.relay()
    mailer = world.mailer()
    await world.send()
    await world.judge.until(lambda judge: bool(judge.accepted), 60)
    for _ in range(40 if world.full else 5):
        await world.send(rng.randrange(3), customer=rng.choice((4, 5)))
        await asyncio.sleep(rng.uniform(0, 0.1))
        for process in mailer.children():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    await world.settled()
    assert mailer.alive
    assert not await world.count("state <> 'sent'")


@fault("fault-05-worker-killed-between-dot-and-250", "accepted", "not-accepted")
async def killed_after_dot(world: World, rng: Random, variant: str) -> None:
    taken = (Accept(),) if variant == "accepted" else ()
    hanging = world.judge.on("dot", *taken, Hang(), times=1)
    world.relay()
    first = world.mailer()
    send = await world.send(rng.randrange(3))
    await world.met(hanging)
    await world.kill_mailer(first)
    assert world.injected
    world.mailer()
    await world.settled()
    await asyncio.sleep(5)  # long enough for a lease and a sweep, should anybody send it again
    states = [one["state"] for one in (await world.show(send)).values()]
    assert states.count("in_doubt") == world.injected
    doubted = next(o for o in (await world.show(send)).values() if o["state"] == "in_doubt")
    assert "no reply was recorded" in doubted["reason"]


@fault("fault-07-late-250")
async def late_reply(world: World, rng: Random) -> None:
    # Later than two leases: the worker has to keep the row while it waits.
    world.judge.on("dot", Delay(rng.uniform(8.5, 10)), times=2)
    world.relay()
    for _ in range(2):
        world.mailer()
    send = await world.send(2)
    await world.settled()
    assert {one["state"] for one in (await world.show(send)).values()} == {"sent"}


@fault("fault-08-worker-frozen-before-the-gate", "at-rcpt", "at-data")
async def frozen_before_gate(world: World, rng: Random, variant: str) -> None:
    frozen = Wait(asyncio.Event())
    step: Literal["rcpt", "data"] = "rcpt" if variant == "at-rcpt" else "data"
    slow = world.judge.on(step, frozen, recipient=_MAIL, times=1)
    world.relay()
    loser = world.mailer()
    send = await world.send(customer=4)
    await world.met(slow)
    await loser.freeze()
    frozen.event.set()
    world.mailer()
    await world.settled()
    [taken] = await world.fetch("SELECT token, state, updated_at FROM deliveries")
    aborted = len(world.judge.aborted)
    loser.thaw()
    await world.judge.until(lambda judge: len(judge.aborted) > aborted, 60)
    await asyncio.sleep(0.5)  # whatever it would still do to the row
    [after] = await world.fetch("SELECT token, state, updated_at FROM deliveries")
    assert tuple(after) == tuple(taken), "the loser changed the row"
    assert (await world.show(send))[_MAIL]["state"] == "sent"
    assert taken["token"] >= 3, "claimed, reclaimed and claimed again"


@fault("fault-08-worker-frozen-and-overtaken")
async def overtaken(world: World, rng: Random) -> None:
    """A worker reaches the gate while the row is in the right state, but claimed by another."""
    first, second = Wait(asyncio.Event()), Wait(asyncio.Event())
    slow = world.judge.on("data", first, times=1)
    slower = world.judge.on("data", second, times=1)
    world.relay()
    loser = world.mailer()
    await world.send(customer=4)
    await world.met(slow)
    await loser.freeze()
    first.event.set()
    world.mailer()
    await world.met(slower)
    loser.thaw()
    await world.judge.until(lambda judge: bool(judge.aborted), 60)
    assert not world.judge.accepted, "the loser's mail went out"
    second.event.set()
    await world.settled()
    assert (await world.fetch("SELECT token FROM deliveries"))[0]["token"] >= 3


@fault("fault-08-worker-frozen-at-the-gate")
async def frozen_at_gate(world: World, rng: Random) -> None:
    postgres = await world.tapped()
    world.relay()
    frozen = world.mailer(DATABASE_URL=postgres.url)
    trap = postgres.trap(tap.GATE, "answer")
    await world.send(customer=4)
    await trap.reached()
    await frozen.freeze()
    trap.released.set()  # the gate's yes waits in the socket of a worker that stands still
    other = world.mailer()
    await asyncio.sleep(5.1 + rng.random())  # past the gate's five seconds and past the lease
    # Sent by the other, if a busy machine came to the gate with its lease over.
    await world.until_count("state IN ('in_doubt', 'sent')", 1)

    async def sent_are_accepted() -> bool:
        return await world.count("state = 'sent'") == len(world.judge.accepted)

    await world.until(sent_are_accepted, "what was accepted recorded, and nothing else")
    frozen.thaw()
    await world.until_count("state = 'sent'", 1)
    assert other.alive
    assert world.judge.aborted, "the slow gate's mail was broken off before its dot"
    await world.settled()


@fault("fault-08-worker-frozen-while-it-records")
async def frozen_while_recording(world: World, rng: Random) -> None:
    """A record that it was about to write must not block its rows for others."""
    postgres = await world.tapped()
    world.relay()
    frozen = world.mailer(DATABASE_URL=postgres.url)
    trap = postgres.trap(tap.RECORD, "answer")
    await world.send(customer=4)
    await trap.reached()
    await frozen.freeze()
    trap.released.set()
    await world.settled()
    await asyncio.sleep(rng.random())
    frozen.thaw()
    await world.until_count("state = 'sent'", 1)


@fault("fault-08-worker-frozen-after-the-dot")
async def frozen_after_dot(world: World, rng: Random) -> None:
    replying = Wait(asyncio.Event())
    world.judge.on("dot", Accept(), replying, times=1)
    world.relay()
    frozen = world.mailer()
    await world.send(customer=4)
    await world.judge.until(lambda judge: bool(judge.accepted), 60)
    await frozen.freeze()
    replying.event.set()
    world.mailer()
    await world.until_count("state = 'in_doubt'", 1)
    await asyncio.sleep(rng.uniform(1, 2))
    frozen.thaw()
    # The late 250 of the same attempt still decides.
    await world.until_count("state = 'sent'", 1)
