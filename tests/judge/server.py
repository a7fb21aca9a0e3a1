"""The judge: an SMTP server that logs every mail that it accepted, and misbehaves by script.

It accepts nothing without the whole CRLF.CRLF. Its log decides whether a mail was handed over.
"""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

from tests.judge.conversation import Conversation
from tests.judge.script import Action, Rule, Step


@dataclass(frozen=True)
class Accepted:
    """One mail that the judge accepted; `at` is monotonic seconds, `data` unstuffed bytes."""

    send: str | None
    delivery: str | None
    recipient: str
    sender: str
    data: bytes
    at: float

    @property
    def message(self) -> EmailMessage:
        """Parse the bytes as a mail reader would."""
        return message_from_bytes(self.data, policy=policy.default)


@dataclass(frozen=True)
class Aborted:
    """A message that ended before its dot: the bytes as they came."""

    recipient: str
    data: bytes


class Judge:
    """An SMTP server on 127.0.0.1 for `async with`; what it announces and its rules are public."""

    def __init__(
        self,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        users: dict[str, str] | None = None,
        pipelining: bool = True,
        smtputf8: bool = True,
        size: int = 0,
        receive_buffer: int | None = None,
    ) -> None:
        self.host, self.port = "127.0.0.1", port
        self.tls, self.implicit_tls, self.users = tls, implicit_tls, users
        self.pipelining, self.smtputf8, self.size = pipelining, smtputf8, size
        self.receive_buffer = receive_buffer
        self.data_without_recipient = False  # RFC 2920 lets a server answer 354 to that
        self.one_a_packet = False  # forgets what came with a command
        self.most_allowed = 1_000_000
        self.rules: list[Rule] = []
        self.accepted: list[Accepted] = []
        self.aborted: list[Aborted] = []
        self.commands: list[str] = []
        self.connections = self.sessions = self.most_sessions = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        context = self.tls if self.implicit_tls else None
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Refuse new connections and end the open ones; `async with` again serves the same port."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def on(
        self,
        step: Step,
        *actions: Action,
        recipient: str | None = None,
        skip: int = 0,
        times: int | None = None,
    ) -> Rule:
        """Add a rule; the first that applies wins."""
        rule = Rule(step, actions, recipient, skip, times)
        self.rules.append(rule)
        return rule

    def actions(self, step: Step, recipient: str | None) -> tuple[Action, ...]:
        """Return what the script wants done at this step."""
        return next((r.actions for r in self.rules if r.takes(step, recipient)), ())

    def accept(self, sender: str, recipient: str, data: bytes) -> None:
        """Log a mail as accepted."""
        headers = message_from_bytes(data[: data.find(b"\r\n\r\n") + 4], policy=policy.default)
        send, delivery = headers["X-Ledgerpost-Send"], headers["X-Ledgerpost-Delivery"]
        self.accepted.append(Accepted(send, delivery, recipient, sender, data, time.monotonic()))
        self.changed()

    def abort(self, recipient: str, data: bytes) -> None:
        """Log a message that never got its dot."""
        self.aborted.append(Aborted(recipient, data))
        self.changed()

    def counts(self) -> Counter[tuple[str | None, str]]:
        """How often each (send, recipient) was accepted: more than once breaks the promise."""
        return Counter((mail.send, mail.recipient) for mail in self.accepted)

    def changed(self) -> None:
        """Wake the waiters in until()."""
        self._changed.set()

    async def until(self, holds: Callable[[Self], bool], timeout: float = 10) -> None:
        """Wait until a condition on the judge holds; raises TimeoutError."""
        async with asyncio.timeout(timeout):
            while not holds(self):
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        self.sessions += 1
        self.most_sessions = max(self.most_sessions, self.sessions)
        try:
            await Conversation(self, reader, writer).run()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self.sessions -= 1
            self._open.discard(task)
            self.changed()
