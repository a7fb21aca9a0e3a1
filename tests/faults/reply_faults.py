"""The mail relay answers anything at any step, late, never, or without end."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Accept, Action, Delay, Drop, Flood, Hang, Reset, Say

_STEPS: tuple[Literal["rcpt", "data", "dot"], ...] = ("rcpt", "data", "dot")
_TRANSIENT = ("421 4.3.2 closing", "450 4.2.1 busy", "451 4.7.1 greylisted", "452 4.3.1 full")
_PERMANENT = (
    "550 5.7.1 no",
    "551 5.1.6 moved",
    "552 5.3.4 too big",
    "553 5.1.3 what",
    "554 5.6.0 no",
)
_GARBAGE = (b"hello\r\n", b"\xff\xfe\r\n", b"99 no\r\n", b"250-a\r\n451 b\r\n", b"\x00\r\n")
_MODEST = 64 * 1024 * 1024  # bytes by which a worker may grow


@dataclass(frozen=True)
class Trick:
    """What the judge does once to one recipient, and where the delivery has to end."""

    step: Literal["rcpt", "data", "body", "dot"]
    actions: tuple[Action, ...]
    state: str


@fault("fault-06-drop-reset-hang")
async def drop_reset_hang(world: World, rng: Random) -> None:
    silent = (Hang(), Hang(reading=False))
    tricks = [
        *(Trick("data", (end,), "sent") for end in (Drop(), Reset())),
        *(Trick("data", (Delay(rng.uniform(0, 2)), end), "sent") for end in (Drop(), Reset())),
        *(Trick("dot", (end,), "in_doubt") for end in (Drop(), Reset(), *silent)),
        *(Trick("dot", (Accept(), end), "in_doubt") for end in (Drop(), Reset(), *silent)),
    ]
    await _play(world, rng, tricks)


@fault("fault-06-drop-in-mid-body")
async def drop_in_body(world: World, rng: Random) -> None:
    # A body beyond all buffers, so that the end is noticed in the middle of it.
    tricks = [Trick("body", (end,), "sent") for end in (Drop(), Reset())]
    await _play(world, rng, tricks, large=True)


@fault("fault-19-every-reply-at-every-step")
async def every_reply(world: World, rng: Random) -> None:
    tricks: list[Trick] = []
    for step, text in itertools.product(_STEPS, _TRANSIENT):
        tricks.append(Trick(step, (Say(text),), "sent"))
    for step, text in itertools.product(_STEPS, _PERMANENT):
        tricks.append(Trick(step, (Say(text),), "failed"))
    for step, noise in itertools.product(_STEPS, _GARBAGE):
        tricks.append(Trick(step, (Say(noise, raw=True),), "in_doubt" if step == "dot" else "sent"))
    await _play(world, rng, tricks)
    # Addresses that the relay says do not exist are remembered, others are not.
    kept = {row["email_key"] for row in await world.fetch("SELECT email_key FROM suppressions")}
    wanted = {
        f"t{number}@x.example"
        for number, trick in enumerate(tricks)
        if trick.step == "rcpt" and any(code in str(trick.actions) for code in ("5.1.6", "5.1.3"))
    }
    assert kept == wanted


@fault("fault-19-endless-replies")
async def endless(world: World, rng: Random) -> None:
    units = (b"2" * 65536, b"250-and so on\r\n" * 4096, b"\r\n" * 4096)
    tricks = [
        Trick(step, (Flood(unit),), "in_doubt" if step == "dot" else "sent")
        for step, unit in itertools.product(_STEPS, units)
    ]
    worker = await _play(world, rng, tricks)
    assert worker < _MODEST, f"the worker grew by {worker >> 20} MiB"


@fault("fault-19-relay-at-fault")
async def relay_at_fault(world: World, rng: Random) -> None:
    """Before a ready session and for a refusal of MAIL it is the relay: no attempt counts."""
    says: list[Action] = [Say("554 5.3.2 no"), Say("421 4.3.2 later"), Say(b"what\r\n", raw=True)]
    for step in ("connect", "ehlo", "mail"):
        world.judge.on(step, rng.choice([*says, Drop(), Reset()]), times=1)
    world.judge.on("helo", Say("554 5.3.2 no"), times=1)
    world.relay()
    world.mailer()
    await world.send(rng.randrange(10))
    await world.settled()
    rows = await world.fetch("SELECT state, attempts FROM deliveries")
    assert {tuple(row) for row in rows} == {("sent", 1)}


@fault("fault-19-lines-that-would-end-the-mail")
async def treacherous_text(world: World, rng: Random) -> None:
    lines = [".", "..", "", ".\r", "a\nb", "QUIT", "MAIL FROM:<a@b.example>", "é.", "x" * 3000, "="]
    rng.shuffle(lines)
    text = "\r\n".join([".", *lines, "."])
    world.relay()
    world.mailer()
    await world.send(1, message=text)
    await world.settled()
    assert len(world.judge.accepted) == 2
    for mail in world.judge.accepted:
        assert b"\r" not in mail.data.replace(b"\r\n", b""), "a bare CR"
        assert b"\n" not in mail.data.replace(b"\r\n", b""), "a bare LF"
        plain = mail.message.get_body(("plain",))
        assert plain is not None
        shown = plain.get_content().replace("\r\n", "\n")
        meant = text.replace("\r\n", "\n").replace("\r", "\n")
        assert meant in shown, f"{meant!r} is not in {shown!r}"


async def _play(world: World, rng: Random, tricks: list[Trick], *, large: bool = False) -> int:
    """Play each trick on a recipient of its own; returns by how much the worker grew, in bytes."""
    for number, trick in enumerate(tricks):
        world.judge.on(trick.step, *trick.actions, recipient=f"t{number}@x.example", times=1)
    world.judge.pipelining = rng.random() < 0.5
    if large:
        await _enlarge(world)
    world.relay()
    worker = world.mailer(SMTP_REPLY_TIMEOUT="2s")
    world.injected += sum(trick.state == "in_doubt" for trick in tricks)
    await world.send(customer=5)
    await world.settled()
    before = worker.peak_memory()
    send = await world.send([f"t{number}@x.example" for number in range(len(tricks))])
    await world.settled()
    await asyncio.sleep(1.5)  # should anybody think of sending one again
    shown = await world.show(send)
    differing = list(_differing(shown, tricks))
    assert not differing, "\n".join(differing)
    assert worker.alive
    return worker.peak_memory() - before


def _differing(shown: dict[str, dict[str, str]], tricks: list[Trick]) -> Iterator[str]:
    for number, trick in enumerate(tricks):
        one = shown[f"t{number}@x.example"]
        if one["state"] != trick.state:
            yield f"{trick} came to {one['state']}: {one['reason']} {one['reply']}"


async def _enlarge(world: World) -> None:
    """Give customer 4 so many invoices that the statement does not fit into any buffer."""
    await world.fetch(
        """INSERT INTO invoices
            (business_id, id, customer_id, number, kind, status, issue_date, total)
        SELECT 1, 100000 + n, 4, md5(n::text) || md5((n + 1)::text), 'invoice', 'issued',
               '2024-11-10', n % 1000 + 0.25
        FROM generate_series(1, 2000) AS n"""
    )
