"""The processes that make letters, as many as there is work for."""

import asyncio
import sys
from collections import deque
from contextlib import suppress
from typing import Any, Self, cast

import structlog

from services.mailer.compositor import SIZE, TOGETHER, CompositorError, Order, packed, unpacked
from services.mailer.letter import Letter

_log = structlog.get_logger("ledgerpost.mailer")
_DEEP = 4  # orders that wait for one compositor before there is another
_GOODBYE = 5.0
_PROGRAM = "from services.mailer import compositor; compositor.work(pdf={pdf})"


class Compositors:
    """At most `most` processes, each replaced when it dies; where `pdf`, letters have one."""

    def __init__(self, most: int, *, pdf: bool) -> None:
        self._most = most
        self._program = _PROGRAM.format(pdf=pdf)
        self._working: list[_Compositor] = []
        self._hiring: asyncio.Task[_Compositor] | None = None

    async def __aenter__(self) -> Self:
        await self._hire()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._hiring is not None:
            await asyncio.wait([self._hiring])
        await asyncio.gather(*(compositor.close() for compositor in self._working))

    async def letter(self, order: Order) -> Letter:
        """Make a letter; raises StatementError, TypesettingError or CompositorError.

        The last also where a process dies of the order alone.
        """
        data = packed(order)
        while True:
            compositor = await self._free()
            try:
                return await compositor.ask(data)
            except _Died as died:
                if died.at_it:
                    return await self._alone(data)

    async def _alone(self, data: bytes) -> Letter:
        """Ask a process of its own, as this order may have been the death of another."""
        compositor = await self._start()
        try:
            return await compositor.ask(data)
        except _Died:
            raise CompositorError("a compositor died of it") from None
        finally:
            await compositor.close()

    async def _free(self) -> "_Compositor":
        self._working = [compositor for compositor in self._working if compositor.alive]
        free = min(self._working, key=lambda compositor: compositor.depth, default=None)
        if free is not None and (free.depth < _DEEP or len(self._working) >= self._most):
            return free
        if self._hiring is None:
            self._hiring = asyncio.create_task(self._hire())
            self._hiring.add_done_callback(self._hired)
        return await asyncio.shield(self._hiring) if free is None else free

    async def _hire(self) -> "_Compositor":
        compositor = await self._start()
        self._working.append(compositor)
        return compositor

    async def _start(self) -> "_Compositor":
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", self._program, stdin=pipe, stdout=pipe
        )
        compositor = _Compositor(process)
        try:
            await compositor.ready
        except _Died:
            await compositor.close()
            raise CompositorError("a compositor does not start") from None
        return compositor

    def _hired(self, hiring: asyncio.Task["_Compositor"]) -> None:
        self._hiring = None
        if not hiring.cancelled() and (error := hiring.exception()) is not None:
            _log.error("no further compositor", error=repr(error))


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
        letter: Letter | Exception = await answer
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

    def _expect(self) -> asyncio.Future[Any]:
        answer = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        return answer

    def _write(self) -> None:
        """Write together what was asked for together: each write wakes the process."""
        if self.alive:
            self._orders.write(b"".join(self._unwritten))
        self._unwritten.clear()

    async def _read(self) -> None:
        try:
            while True:
                (size,) = SIZE.unpack(await self._answers.readexactly(SIZE.size))
                answer = unpacked(await self._answers.readexactly(size))
                future = self._asked.popleft()
                if not future.done():
                    future.set_result(answer)
        except (asyncio.IncompleteReadError, OSError):
            if self.alive:
                _log.warning("a compositor has died", orders=self.depth)
        finally:
            self._end()

    def _end(self) -> None:
        self.alive = False
        self._orders.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        for number, future in enumerate(self._asked):
            if not future.done():
                future.set_exception(_Died(at_it=number < TOGETHER))
                future.exception()  # nobody may be waiting any more
        self._asked.clear()
