"""A proxy that reads the protocol of Postgres and halts at one statement."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from tests.faults.proxy import Link, Proxy

_PARSE, _BIND, _QUERY = b"P", b"B", b"Q"

# A part of each statement of shared/deliveries that no other statement has.
CLAIM = b"claims = claims + (NOT paused)"
GATE = b"state = 'committing',\n    attempts"
RECORD = b"attempts + (d.state = 'sending' AND v.counts)"
CONFIRM = b"WITH told AS"
LISTEN = b"LISTEN"
ENQUEUE = b"emissions = 1"
ACCEPT = b"INSERT INTO sends"
ACCEPT_BATCH = b"INSERT INTO batches"
BATCH_TOLD = b"UPDATE business_events SET published_at"
EXPAND = b"UPDATE batch_customers c"
CANCEL_BATCH = b"is_cancelling = true,"
COMMIT = b"COMMIT"
RETURN = b"INSERT INTO returns"
EVENTS = b"e.id IN (SELECT id FROM delivery_events"
TOLD = b"UPDATE delivery_events SET published_at"


@dataclass
class Trap:
    """Halts one execution of a statement that contains `marker`, after `skip` others.

    With `after`, it halts only on a connection that has executed a statement with that marker since
    its last COMMIT: the marker COMMIT then catches the end of such a transaction. Held back until
    `released` is set: the `request`, which Postgres then has not seen, or its `answer`, when
    Postgres has done and committed what it asks.
    """

    marker: bytes
    holds: Literal["request", "answer", "nothing"]
    skip: int = 0
    after: bytes | None = None
    sprung: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    link: Link | None = None

    async def reached(self, seconds: float = 60) -> Link:
        """Wait until the trap has caught a statement, and return its connection."""
        async with asyncio.timeout(seconds):
            await self.sprung.wait()
        assert self.link is not None
        return self.link


class Tap(Proxy):
    """Knows of the frontend protocol as much as it takes to see which statement is executed."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url}?sslmode=disable")
        self._traps: list[Trap] = []

    def trap(
        self,
        marker: bytes,
        holds: Literal["request", "answer", "nothing"],
        skip: int = 0,
        after: bytes | None = None,
    ) -> Trap:
        """Set a trap, which catches one statement."""
        trap = Trap(marker, holds, skip, after)
        self._traps.append(trap)
        return trap

    async def _requests(self, link: Link, reader: asyncio.StreamReader) -> None:
        statements: dict[bytes, bytes] = {}
        transaction: list[bytes] = []
        await self.pass_on(link, await _counted(reader))  # the startup has no type
        while True:
            kind = await reader.readexactly(1)
            message = await _counted(reader)
            text = b""
            if kind == _PARSE:
                name, query, _ = message[4:].split(b"\0", 2)
                statements[name] = query
                # Nothing ends what it begins: the transaction of the execution begins here.
                if (trap := self._at_preparation(query)) is not None:
                    await self._halt(trap, link)
            elif kind == _BIND:
                text = statements.get(message[4:].split(b"\0", 2)[1], b"")
            elif kind == _QUERY:
                text = message[4:]
            if text and (trap := self._sprung_by(text, transaction)) is not None:
                await self._halt(trap, link)
            await self.pass_on(link, kind + message)
            transaction = [] if text.startswith(COMMIT) else [*transaction[-99:], text]

    def _sprung_by(self, text: bytes, before: list[bytes]) -> Trap | None:
        for trap in self._traps:
            if trap.after is not None and not any(trap.after in each for each in before):
                continue
            if not trap.sprung.is_set() and trap.marker in text:
                if trap.skip == 0:
                    return trap
                trap.skip -= 1
        return None

    def _at_preparation(self, text: bytes) -> Trap | None:
        return next(
            (
                trap
                for trap in self._traps
                if trap.holds == "request" and trap.skip == 0 and trap.after is None
                if not trap.sprung.is_set()
                if trap.marker in text
            ),
            None,
        )

    async def _halt(self, trap: Trap, link: Link) -> None:
        trap.link = link
        if trap.holds == "answer":
            link.answers.clear()
            self._tasks.add(task := asyncio.create_task(_answer_later(trap, link)))
            task.add_done_callback(self._tasks.discard)
        trap.sprung.set()
        if trap.holds == "request":
            await trap.released.wait()


async def _answer_later(trap: Trap, link: Link) -> None:
    await trap.released.wait()
    link.answers.set()


async def _counted(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    return length + await reader.readexactly(int.from_bytes(length) - 4)
