"""The mailer dies or stands still in the middle of a mail."""

import asyncio
from random import Random

from tests.faults import tap
from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Accept, Delay, Hang

_MAIL = "esi@customers.example.com"


@fault("fault-04-worker-killed-before-the-gate")
async def killed_before_gate(world: World, rng: Random) -> None:
    postgres = await world.tapped()
    world.relay()
    first = world.mailer(DATABASE_URL=postgres.url)
    step = rng.choice(["claim", "rcpt", "data", "body", "gate"])
    if step in {"claim", "gate"}:
        # Once with the claim committed and unknown to the worker, once with the gate unasked.
        marker, holds = (tap.CLAIM, "answer") if step == "claim" else (tap.GATE, "request")
        trap = postgres.trap(marker, holds)  # type: ignore[arg-type]  # a literal all the same
        await world.send(rng.randrange(3))
        await trap.reached()
    else:
        hanging = world.judge.on(step, Hang(), times=1)  # type: ignore[arg-type]  # likewise
        await world.send(rng.randrange(3))
        await world.met(hanging)
        if step == "body":  # what is still before the gate: the body has gone out by itself
            await asyncio.sleep(rng.random() * 0.01)
    await world.kill_mailer(first)
    world.mailer()
    await world.settled()


@fault("fault-05-worker-killed-between-dot-and-250")
async def killed_after_dot(world: World, rng: Random) -> None:
    took = rng.random() < 0.7
    hanging = world.judge.on("dot", *((Accept(), Hang()) if took else (Hang(),)), times=1)
    world.relay()
    first = world.mailer(SMTP_REPLY_TIMEOUT="60s")
    send = await world.send(rng.randrange(3))
    await world.met(hanging)
    await world.kill_mailer(first)
    assert world.injected
    world.mailer()
    await world.settled()
    await asyncio.sleep(3)  # long enough for a lease and a sweep, should anybody send it again
    states = [one["state"] for one in (await world.show(send)).values()]
    assert states.count("in_doubt") == world.injected
    doubted = next(o for o in (await world.show(send)).values() if o["state"] == "in_doubt")
    assert "no reply was recorded" in doubted["reason"]


@fault("fault-07-late-250")
async def late_reply(world: World, rng: Random) -> None:
    # Later than two leases: the worker has to keep the row while it waits.
    world.judge.on("dot", Delay(rng.uniform(4.5, 7)), times=2)
    world.relay()
    for _ in range(2):
        world.mailer(SMTP_REPLY_TIMEOUT="60s")
    send = await world.send(2)
    await world.settled()
    assert {one["state"] for one in (await world.show(send)).values()} == {"sent"}


@fault("fault-08-worker-frozen-before-the-gate")
async def frozen_before_gate(world: World, rng: Random) -> None:
    step = rng.choice(["rcpt", "data"])
    slow = world.judge.on(step, Delay(1), recipient=_MAIL, times=1)  # type: ignore[arg-type]  # a literal
    world.relay()
    loser = world.mailer()
    send = await world.send(customer=4)
    await world.met(slow)
    await loser.freeze()
    world.mailer()
    await world.settled()
    [taken] = await world.fetch("SELECT token, state, updated_at FROM deliveries")
    loser.thaw()
    await world.judge.until(lambda judge: bool(judge.aborted), 30)
    await asyncio.sleep(0.5)  # whatever it would still do to the row
    [after] = await world.fetch("SELECT token, state, updated_at FROM deliveries")
    assert tuple(after) == tuple(taken), "the loser changed the row"
    assert (await world.show(send))[_MAIL]["state"] == "sent"
    assert taken["token"] == 3, "claimed, reclaimed and claimed again"
    assert len(world.judge.aborted) == 1, "the loser's mail was broken off before its dot"


@fault("fault-08-worker-frozen-and-overtaken")
async def overtaken(world: World, rng: Random) -> None:
    """The loser comes to the gate while the row is in the same state, but in another's hands."""
    slow = world.judge.on("data", Delay(0.5), times=1)
    slower = world.judge.on("data", Delay(rng.uniform(3, 4)), times=1)
    world.relay()
    loser = world.mailer()
    await world.send(customer=4)
    await world.met(slow)
    await loser.freeze()
    world.mailer()
    await world.met(slower)
    loser.thaw()
    await world.judge.until(lambda judge: bool(judge.aborted), 30)
    assert not world.judge.accepted, "the loser's mail went out"
    await world.settled()
    assert (await world.fetch("SELECT token FROM deliveries"))[0]["token"] == 3


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
    await asyncio.sleep(5 + rng.random())  # past the gate's five seconds and past the lease
    assert not world.judge.accepted
    assert await world.count("state = 'in_doubt'") == 1
    frozen.thaw()
    await world.until_count("state = 'sent'", 1)
    assert other.alive
    assert len(world.judge.aborted) == 1, "the slow gate's mail was broken off before its dot"
    await world.settled()


@fault("fault-08-worker-frozen-while-it-records")
async def frozen_while_recording(world: World, rng: Random) -> None:
    """What it was about to record must not keep its rows from everybody else."""
    postgres = await world.tapped()
    world.relay()
    frozen = world.mailer(DATABASE_URL=postgres.url)
    trap = postgres.trap(tap.RECORD, "answer")
    await world.send(customer=4)
    await trap.reached()
    await frozen.freeze()
    trap.released.set()
    await world.settled(10 + rng.random())
    frozen.thaw()
    await world.until_count("state = 'sent'", 1)


@fault("fault-08-worker-frozen-after-the-dot")
async def frozen_after_dot(world: World, rng: Random) -> None:
    world.judge.on("dot", Accept(), Delay(rng.uniform(0.3, 1)), times=1)
    world.relay()
    frozen = world.mailer(SMTP_REPLY_TIMEOUT="60s")
    await world.send(customer=4)
    await world.judge.until(lambda judge: bool(judge.accepted), 60)
    await frozen.freeze()
    world.mailer()
    await world.until_count("state = 'in_doubt'", 1)
    await asyncio.sleep(rng.uniform(1, 2))
    frozen.thaw()
    # The late 250 of the same attempt still decides.
    await world.until_count("state = 'sent'", 1)
