"""The processes that make letters, as many as there is work for."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Self
from uuid import UUID

import structlog

from shared.mail.message import Letter
from shared.process.health import Unwell
from shared.rendering.child import Child, Died
from shared.rendering.orders import CompositorError, Made, Order, ordered
from shared.statements.printing import Flaw

_log = structlog.get_logger("ledgerpost.mailer")
_DEEP = 4  # orders that wait for one compositor before there is another
# Octets of an order, some 1,000 lines, after which a compositor gives its memory back by ending:
# typst holds on to half of what it needed.
_BIG = 200_000
_DEADLY = 64  # sends remembered for having killed a compositor
_PAUSE = 5.0  # seconds after a start in vain
_DIED = Flaw("no_pdf", "sent without its PDF: a compositor died of it")
_A_MOMENT_AGO = "no compositor could be started a moment ago"
# Signals are for the mailer, also those that process managers send to children: it closes the pipe
# when its last letter is made, or when it dies.
_PROGRAM = """
import signal
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, signal.SIG_IGN)
from shared.rendering import worker
worker.work(pdf={pdf})
"""


class NoCompositor(Unwell, RuntimeError):
    """There is no process to make letters, and none can be started: no fault of any letter."""


class Compositors:
    """At most `most` processes, each replaced when it dies; where `pdf`, letters have one."""

    def __init__(
        self, most: int, *, pdf: bool, flawed: Callable[[Flaw], None] = lambda _: None
    ) -> None:
        """Tell `flawed` of what is wrong with a PDF, to count it."""
        self._most = most
        self._pdf = pdf
        self._flawed = flawed
        self._program = _PROGRAM.format(pdf=pdf)
        self._working: list[Child] = []
        self._hiring: asyncio.Task[Child] | None = None
        self._failed_at: float | None = None
        self._one = asyncio.Lock()
        self._deadly: OrderedDict[UUID, None] = OrderedDict()
        self._remarks: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._hire()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._hiring is not None:
            await asyncio.wait([self._hiring])
        await asyncio.gather(*(compositor.close() for compositor in self._working))

    async def check(self) -> None:
        """Raise where there is none yet, or none can be started, for the health report."""
        alive = any(compositor.alive for compositor in self._working)
        if not alive and (self._failed_at is not None or not self._working):
            raise NoCompositor("there is no compositor")

    async def letter(self, order: Order) -> Letter:
        """Make a letter; raises StatementError, TypesettingError, CompositorError or NoCompositor.

        CompositorError also where a process dies of the order alone.
        """
        made = await self._made(order)
        for flaw in made.flaws:
            self._flawed(flaw)
            _log.warning(
                "a PDF has a flaw", send=str(order.send_id), kind=flaw.kind, told=flaw.told
            )
        return Letter(order.sender, made.headers, made.body, made.flaws)

    async def _made(self, order: Order) -> Made:
        data = ordered(order)
        while order.send_id not in self._deadly:
            compositor = await self._free()
            try:
                made = await compositor.ask(data)
            except Died as died:
                if died.at_it:
                    break
            else:
                if len(data) > _BIG:
                    compositor.retire()
                return made
        async with self._one:
            return await self._carefully(order)

    async def _carefully(self, order: Order) -> Made:
        """Ask a process of its own, as the order may have been the death of one; then without PDF.

        One at a time. A send that was the death of one meets no shared process again.
        """
        if order.send_id not in self._deadly:
            with suppress(Died):
                return await self._alone(order)
            self._deadly[order.send_id] = None
            if len(self._deadly) > _DEADLY:
                self._deadly.popitem(last=False)
        if self._pdf:
            with suppress(Died):
                return await self._alone(order._replace(without=_DIED))
        raise CompositorError("a compositor died of it")

    async def _alone(self, order: Order) -> Made:
        compositor = await self._start()
        try:
            return await compositor.ask(ordered(order))
        finally:
            await compositor.close()

    async def _free(self) -> Child:
        self._working = [compositor for compositor in self._working if compositor.alive]
        free = min(self._working, key=lambda compositor: compositor.depth, default=None)
        if free is not None and (free.depth < _DEEP or len(self._working) >= self._most):
            return free
        if self._hiring is None and not self._pausing:
            self._hiring = asyncio.create_task(self._hire())
            self._hiring.add_done_callback(self._hired)
        if free is not None:
            return free
        if self._hiring is None:
            raise NoCompositor(_A_MOMENT_AGO)
        return await asyncio.shield(self._hiring)

    @property
    def _pausing(self) -> bool:
        return self._failed_at is not None and _now() < self._failed_at + _PAUSE

    async def _hire(self) -> Child:
        compositor = await self._start()
        self._working.append(compositor)
        return compositor

    async def _start(self) -> Child:
        if self._pausing:
            raise NoCompositor(_A_MOMENT_AGO)
        try:
            compositor = await Child.start(self._program)
        except OSError as error:
            self._failed_at = _now()
            raise NoCompositor(f"no compositor can be started: {error}") from error
        except Died:
            self._failed_at = _now()
            raise NoCompositor("a compositor does not start; its reason is above") from None
        for remark in compositor.remarks:
            if remark not in self._remarks:  # all say the same
                self._remarks.add(remark)
                _log.warning(remark)
        self._failed_at = None
        return compositor

    def _hired(self, hiring: asyncio.Task[Child]) -> None:
        self._hiring = None
        if not hiring.cancelled() and (error := hiring.exception()) is not None:
            _log.error("no further compositor", error=repr(error))


def _now() -> float:
    return asyncio.get_running_loop().time()
