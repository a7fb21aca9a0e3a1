"""The processes that make letters, as many as there is work for."""

import asyncio
import os
import sys
from collections import OrderedDict, deque
from contextlib import suppress
from typing import Any, Self, cast
from uuid import UUID

import structlog

from services.mailer.compositor import SIZE, TOGETHER, CompositorError, Order, packed, unpacked
from services.mailer.letter import Letter

_log = structlog.get_logger("ledgerpost.mailer")
_DEEP = 4  # orders that wait for one compositor before there is another
_DEADLY = 64  # sends remembered for having killed a compositor
_START = 60.0  # seconds to be ready in
_SILENCE = 600.0  # seconds for an answer; all that are given together may take less
_PAUSE = 5.0  # seconds after a start in vain
_GOODBYE = 5.0
_A_MOMENT_AGO = "no compositor could be started a moment ago"
# Signals are for the mailer, also those that process managers send to children: it closes the pipe
# when its last letter is made, or when it dies.
_PROGRAM = """
import signal
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, signal.SIG_IGN)
from services.mailer import compositor
compositor.work(pdf={pdf})
"""


class NoCompositor(RuntimeError):
    """There is no process to make letters, and none can be started: no fault of any letter."""


class Compositors:
    """At most `most` processes, each replaced when it dies; where `pdf`, letters have one."""

    def __init__(self, most: int, *, pdf: bool) -> None:
        self._most = most
        self._program = _PROGRAM.format(pdf=pdf)
        self._working: list[_Compositor] = []
        self._hiring: asyncio.Task[_Compositor] | None = None
        self._failed_at: float | None = None
        self._one = asyncio.Lock()
        self._deadly: OrderedDict[UUID, None] = OrderedDict()

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
        data = packed(order)
        while order.send_id not in self._deadly:
            compositor = await self._free()
            try:
                return await compositor.ask(data)
            except _Died as died:
                if died.at_it:
                    break
        return await self._alone(order.send_id, data)

    async def _alone(self, send_id: UUID, data: bytes) -> Letter:
        """Ask a process of its own, as the order may have been the death of one; one at a time."""
        async with self._one:
            compositor = await self._start()
            try:
                return await compositor.ask(data)
            except _Died:
                self._deadly[send_id] = None
                if len(self._deadly) > _DEADLY:
                    self._deadly.popitem(last=False)
                raise CompositorError("a compositor died of it") from None
            finally:
                await compositor.close()

    async def _free(self) -> "_Compositor":
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

    async def _hire(self) -> "_Compositor":
        compositor = await self._start()
        self._working.append(compositor)
        return compositor

    async def _start(self) -> "_Compositor":
        if self._pausing:
            raise NoCompositor(_A_MOMENT_AGO)
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-c", self._program, stdin=pipe, stdout=pipe, env=_environ()
            )
        except OSError as error:
            self._failed_at = _now()
            raise NoCompositor(f"no compositor can be started: {error}") from error
        compositor = _Compositor(process)
        try:
            async with asyncio.timeout(_START):
                await compositor.ready
        except BaseException as error:
            compositor.end()
            await compositor.close()
            if not isinstance(error, (_Died, TimeoutError)):
                raise
            self._failed_at = _now()
            raise NoCompositor("a compositor does not start; its reason is above") from None
        self._failed_at = None
        return compositor

    def _hired(self, hiring: asyncio.Task["_Compositor"]) -> None:
        self._hiring = None
        if not hiring.cancelled() and (error := hiring.exception()) is not None:
            _log.error("no further compositor", error=repr(error))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _environ() -> dict[str, str]:
    """Return the environment without our secrets: hostile text is handled there by native code."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "TZ", "TMPDIR"}
        or name.startswith(("LC_", "PYTHON", "XDG_", "FONTCONFIG_"))
    }
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path)}


class _Died(Exception):
    """The process ended before it answered; `at_it` where it may have been at this very order."""

    def __init__(self, *, at_it: bool) -> None:
        super().__init__(at_it)
        self.at_it = at_it


class _Compositor:
    """One process; it answers in the order in which it is asked."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._orders = cast("asyncio.StreamWriter", process.stdin)
        self._answers = cast("asyncio.StreamReader", process.stdout)
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._unwritten: list[bytes] = []
        self.alive = True
        self.ready = self._expect()
        self._reading = asyncio.create_task(self._read())

    @property
    def depth(self) -> int:
        """How many orders it has not answered."""
        return len(self._asked)

    async def ask(self, data: bytes) -> Letter:
        """Return its answer or raise it; raises _Died where there is none."""
        if not self.alive:
            raise _Died(at_it=False)
        answer = self._expect()
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._write)
        self._unwritten.append(data)
        try:
            async with asyncio.timeout(_SILENCE):
                letter: Letter | Exception = await answer
        except TimeoutError:  # it stands still, its own alarm with it
            self.end()
            raise _Died(at_it=True) from None
        if isinstance(letter, Exception):
            raise letter
        return letter

    async def close(self) -> None:
        """Let it end."""
        self.alive = False
        self._orders.close()
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    def end(self) -> None:
        """Kill it; orders that it has not answered raise _Died."""
        self.alive = False
        self._orders.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        for number, future in enumerate(self._asked):
            if not future.done():
                future.set_exception(_Died(at_it=number < TOGETHER))
                future.exception()  # nobody may be waiting any more
        self._asked.clear()

    def _expect(self) -> asyncio.Future[Any]:
        answer = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        return answer

    def _write(self) -> None:
        """Write together what was asked for together: each write wakes the process."""
        data, self._unwritten = b"".join(self._unwritten), []
        if self.alive:
            self._orders.write(data)

    async def _read(self) -> None:
        try:
            while True:
                (size,) = SIZE.unpack(await self._answers.readexactly(SIZE.size))
                answer = unpacked(await self._answers.readexactly(size))
                future = self._asked.popleft()
                if not future.done():
                    future.set_result(answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, no further answer can be read
            if self.alive:
                _log.warning("a compositor has died", orders=self.depth, error=repr(error))
        finally:
            self.end()
