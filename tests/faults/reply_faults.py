"""The smarthost sends any reply at any step: late, never, or endless."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.certificate import self_made
from tests.judge.script import Accept, Action, Delay, Drop, Flood, Hang, Reset, Say, Step

_STEPS: tuple[Literal["rcpt", "data", "dot"], ...] = ("rcpt", "data", "dot")
_TRANSIENT = ("421 4.3.2 closing", "450 4.2.1 busy", "451 4.7.1 greylisted", "452 4.3.1 full")
_POLICY = "550 5.7.1 no"  # may be the smarthost's, so the mail is tried once more
_PERMANENT = (
    _POLICY,
    "551 5.1.6 moved",
    "552 5.3.4 too big",
    "553 5.1.3 what",
    "554 5.6.0 no",
)
_GARBAGE = (b"hello\r\n", b"\xff\xfe\r\n", b"99 no\r\n", b"250-a\r\n451 b\r\n", b"\x00\r\n")
_ENDLESS = (b"2" * 65536, b"250-and so on\r\n" * 4096, b"\r\n" * 4096)
_MODEST = 64 * 1024 * 1024  # bytes by which a worker may grow


@dataclass(frozen=True)
class Trick:
    """A trick that the judge plays once on one recipient, and the expected final state."""

    step: Literal["rcpt", "data", "body", "dot"]
    actions: tuple[Action, ...]
    state: str


@fault("fault-06-drop-reset-hang")
async def drop_reset_hang(world: World, rng: Random) -> None:
    silent = (Hang(), Hang(reading=False))
    steps: tuple[Literal["rcpt", "data"], ...] = ("rcpt", "data")
    tricks = [
        *(Trick(step, (end,), "sent") for step in steps for end in (Drop(), Reset(), *silent)),
        *(Trick("data", (Delay(rng.uniform(0, 2)), end), "sent") for end in (Drop(), Reset())),
        *(Trick("dot", (end,), "in_doubt") for end in (Drop(), Reset(), *silent)),
        *(Trick("dot", (Accept(), end), "in_doubt") for end in (Drop(), Reset(), *silent)),
    ]
    await _play(world, rng, tricks)


@fault("fault-06-in-mid-body")
async def in_mid_body(world: World, rng: Random) -> None:
    # A body beyond all buffers, so that the end is noticed, or the silence met, in its middle.
    world.judge.receive_buffer = 65536
    ends = (Drop(), Reset(), Hang(reading=False))
    await _play(world, rng, [Trick("body", (end,), "sent") for end in ends], large=True)
    put_off = await world.fetch("SELECT delivery_id FROM delivery_events WHERE state = 'deferred'")
    assert len(put_off) >= len(ends), "not every end was met in the middle"


@fault("fault-19-every-reply-at-every-step")
async def every_reply(world: World, rng: Random) -> None:
    tricks: list[Trick] = []
    for step, text in itertools.product(_STEPS, _TRANSIENT):
        tricks.append(Trick(step, (Say(text),), "sent"))
    for step, text in itertools.product(_STEPS, _PERMANENT):
        tricks.append(Trick(step, (Say(text),), "sent" if text == _POLICY else "failed"))
    for step, noise in itertools.product(_STEPS, _GARBAGE):
        tricks.append(Trick(step, (Say(noise, raw=True),), "in_doubt" if step == "dot" else "sent"))
    await _play(world, rng, tricks)
    # Addresses that the smarthost says do not exist are remembered, others are not.
    kept = {row["email_key"] for row in await world.fetch("SELECT email_key FROM suppressions")}
    wanted = {
        f"t{number}@x.example"
        for number, trick in enumerate(tricks)
        if trick.step == "rcpt" and any(code in str(trick.actions) for code in ("5.1.6", "5.1.3"))
    }
    assert kept == wanted


@fault("fault-19-endless-replies")
async def endless(world: World, rng: Random) -> None:
    tricks = [
        Trick(step, (Flood(unit),), "in_doubt" if step == "dot" else "sent")
        for step, unit in itertools.product(_STEPS, _ENDLESS)
    ]
    worker = await _play(world, rng, tricks)
    assert worker < _MODEST, f"the worker grew by {worker >> 20} MiB"


@fault("fault-19-smarthost-at-fault")
async def smarthost_at_fault(world: World, rng: Random) -> None:
    """Faults before a ready session, and refusals of MAIL, count no attempt."""
    _, world.judge.tls = self_made(world.folder)
    world.judge.users = {"user": "secret"}
    says: list[Action] = [Say(text) for text in (*_TRANSIENT, *_PERMANENT)]
    says += [Say(noise, raw=True) for noise in _GARBAGE]
    steps: tuple[Step, ...] = ("connect", "ehlo", "starttls", "auth", "mail")
    faults = [*itertools.product(steps, (*says, Drop(), Reset(), Hang()))]
    for step, action in rng.sample(faults, len(faults)):
        world.judge.on(step, action, times=1)
    world.judge.on("helo", Say("554 5.3.2 no"), times=1)
    world.relay()
    smarthost = f"smtp://user:secret@127.0.0.1:{world.judge.port}?starttls=opportunistic"
    world.mailer(impatient=True, SMTP_URL=smarthost)
    await world.send(others := 300)
    await world.settled()
    assert all(rule.met for rule in world.judge.rules), "something was not provoked"
    rows = await world.fetch("SELECT state, attempts FROM deliveries")
    assert {row["state"] for row in rows} == {"sent"}
    # But a 4xx at MAIL is one, as it may be about the mail; a probe that meets it counts nothing.
    put_off = sum(not text.startswith("421") for text in _TRANSIENT)
    assert 0 <= sum(row["attempts"] for row in rows) - (1 + others) <= put_off


@fault("fault-19-endless-replies-before-a-session")
async def endless_before_session(world: World, rng: Random) -> None:
    for step, unit in itertools.product(("connect", "ehlo", "mail"), _ENDLESS):
        world.judge.on(step, Flood(unit), times=1)
    world.relay()
    worker = world.mailer(impatient=True)
    await world.send(rng.randrange(10))
    await world.settled()
    assert all(rule.met for rule in world.judge.rules)
    assert worker.peak_memory() < 2 * _MODEST + 64 * 1024 * 1024


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
    """Play each trick on a different recipient; return the growth of the worker in bytes."""
    for number, trick in enumerate(tricks):
        world.judge.on(trick.step, *trick.actions, recipient=f"t{number}@x.example", times=1)
    world.judge.pipelining = rng.random() < 0.5
    if large:
        await _enlarge(world)
    world.relay()
    # On a busy machine the judge needs seconds for a mail of megabytes.
    worker = world.mailer(impatient=True, SMTP_REPLY_TIMEOUT="30s" if large else "6s")
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
    """Give customer 4 enough invoices that the statement fits into no buffer."""
    await world.fetch(
        """INSERT INTO invoices
            (business_id, id, customer_id, number, kind, status, issue_date, total)
        SELECT 1, 100000 + n, 4, md5(n::text) || md5((n + 1)::text), 'invoice', 'issued',
               '2024-11-10', n % 1000 + 0.25
        FROM generate_series(1, 4000) AS n"""
    )
