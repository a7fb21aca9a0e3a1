"""The rendering processes: as many as there is work for."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self
from uuid import UUID

import structlog

from shared.mail.message import Message
from shared.process.health import Unwell
from shared.rendering.answers import MessageParts
from shared.rendering.frames import RenderingError, RenderRequest, request_frame
from shared.rendering.process import ProcessDied, RenderProcess
from shared.statements.flaws import Flaw

_log = structlog.get_logger("ledgerpost.rendering")
# Requests that one process has before another one is started: one with PDF takes as long as twenty
# without. The queue lets at least as many through for each process.
_DEEP: Final = 4
_DEEP_PDF: Final = 2
# Characters of a statement, some 1,000 lines, after which a process ends to give its memory back:
# typst holds on to half of what it needed.
_BIG: Final = 200_000
_FATAL_MAX: Final = 64  # sends remembered for having killed a process
_PAUSE_S: Final = 5.0  # after a start that failed
_KILLED: Final = Flaw("no_pdf", "sent without its PDF: the process that rendered it died")
_NO_START: Final = "no rendering process could be started a moment ago"
_PROGRAM: tuple[str, ...] = ("-m", "shared.rendering")


def program(*, pdf: bool, public_url: str | None = None) -> tuple[str, ...]:
    """Return the arguments of Python for a rendering process."""
    if not pdf:
        return _PROGRAM
    return (*_PROGRAM, "--pdf", *(("--public-url", public_url) if public_url else ()))


class NoRenderProcess(Unwell, RuntimeError):
    """There is no rendering process and none can be started: no message is at fault."""


class RenderPool:
    """At most `most` processes, each replaced if it dies; with `pdf`, messages have a PDF."""

    def __init__(
        self,
        most: int,
        *,
        pdf: bool,
        public_url: str | None = None,
        flawed: Callable[[Flaw], None] = lambda _: None,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        """Call `flawed` with each flaw of a PDF, and `started` at each new process, to count them.

        PDFs say that they can be verified at the `public_url` of the API.
        """
        self._most = most
        self._pdf = pdf
        self._deep = _DEEP_PDF if pdf else _DEEP
        self._flawed = flawed
        self._counted = started
        self._program = program(pdf=pdf, public_url=public_url)
        self._processes: list[RenderProcess] = []
        self._starting: asyncio.Task[RenderProcess] | None = None
        self._failed_at: float | None = None
        self._isolation = asyncio.Lock()
        self._fatal: OrderedDict[UUID, None] = OrderedDict()
        self._remarks: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._add()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._starting is not None:
            await asyncio.wait([self._starting])
        await asyncio.gather(*(process.close() for process in self._processes))

    @property
    def alive(self) -> int:
        """The number of processes that run, without those of a single request."""
        return sum(process.alive for process in self._processes)

    async def check(self) -> None:
        """Raise NoRenderProcess if there is none yet, or none can be started."""
        if not self.alive and (self._failed_at is not None or not self._processes):
            raise NoRenderProcess("there is no rendering process")

    async def message(self, request: RenderRequest) -> Message:
        """Return the message of a request.

        Raises StatementError, TypesettingError or NoRenderProcess; and RenderingError, also if a
        process dies of this request alone.
        """
        parts = await self._parts(request)
        for flaw in parts.flaws:
            self._flawed(flaw)
            _log.warning("pdf_flawed", send_id=str(request.send_id), kind=flaw.kind, text=flaw.text)
        return Message(request.sender, *parts)

    async def _parts(self, request: RenderRequest) -> MessageParts:
        frame = request_frame(request)
        while request.send_id not in self._fatal:
            process = await self._free()
            try:
                parts = await process.render(frame, MessageParts)
            except ProcessDied as died:
                if died.at_it:
                    break
            else:
                if len(request.content) > _BIG:
                    process.retire()
                return parts
        async with self._isolation:
            return await self._isolated(request)

    async def _isolated(self, request: RenderRequest) -> MessageParts:
        """Render a request that may have killed a process in one of its own; then without PDF.

        One request at a time. A send that has killed two processes uses no shared one again.
        """
        if request.send_id not in self._fatal:
            with suppress(ProcessDied):
                return await self._in_own_process(request)
            self._fatal[request.send_id] = None
            if len(self._fatal) > _FATAL_MAX:
                self._fatal.popitem(last=False)
        if self._pdf:
            with suppress(ProcessDied):
                return await self._in_own_process(request._replace(without=_KILLED))
        raise RenderingError("a rendering process died of it")

    async def _in_own_process(self, request: RenderRequest) -> MessageParts:
        process = await self._start()
        try:
            return await process.render(request_frame(request), MessageParts)
        finally:
            await process.close()

    async def _free(self) -> RenderProcess:
        """Return the process with the fewest requests, and start another if they are many."""
        self._processes = [process for process in self._processes if process.alive]
        free = min(self._processes, key=lambda process: process.depth, default=None)
        if free is not None and (free.depth < self._deep or len(self._processes) >= self._most):
            return free
        if self._starting is None and not self._pausing:
            self._starting = asyncio.create_task(self._add())
            self._starting.add_done_callback(self._started)
        if free is not None:
            return free
        if self._starting is None:
            raise NoRenderProcess(_NO_START)
        return await asyncio.shield(self._starting)

    @property
    def _pausing(self) -> bool:
        return self._failed_at is not None and _now() < self._failed_at + _PAUSE_S

    async def _add(self) -> RenderProcess:
        process = await self._start()
        self._processes.append(process)
        return process

    async def _start(self) -> RenderProcess:
        if self._pausing:
            raise NoRenderProcess(_NO_START)
        try:
            process = await RenderProcess.start(self._program)
        except OSError as error:
            self._failed_at = _now()
            raise NoRenderProcess(f"no rendering process can be started: {error}") from error
        except ProcessDied:
            self._failed_at = _now()
            raise NoRenderProcess(
                "a rendering process does not start; its reason is above"
            ) from None
        for remark in process.remarks:
            if remark not in self._remarks:  # every process has the same ones
                self._remarks.add(remark)
                _log.warning("rendering_remark", text=remark)
        self._failed_at = None
        self._counted()
        return process

    def _started(self, starting: asyncio.Task[RenderProcess]) -> None:
        self._starting = None
        if not starting.cancelled() and (error := starting.exception()) is not None:
            _log.error("rendering_process_not_started", error=repr(error))


def _now() -> float:
    return asyncio.get_running_loop().time()
