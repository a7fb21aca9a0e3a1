"""A compositor, as the mailer sees it: a process with one pipe to it and one from it."""

import asyncio
import os
import sys
from collections import deque
from contextlib import suppress
from typing import Self, cast

import structlog

from shared.rendering.orders import SIZES, Answer, Made, Ready, answer_in, sizes
from shared.rendering.worker import TOGETHER

_log = structlog.get_logger("ledgerpost.mailer")
_START = 60.0  # seconds to be ready in
_SILENCE = 600.0  # seconds for an answer; all that are given together may take less
_GOODBYE = 5.0


class Died(Exception):
    """The process ended before it answered; `at_it` where it may have been at this very order."""

    def __init__(self, *, at_it: bool) -> None:
        super().__init__(at_it)
        self.at_it = at_it


class Child:
    """One process; it answers in the order in which it is asked."""

    @classmethod
    async def start(cls, program: str) -> Self:
        """Start one. Raises OSError if there can be no process, and Died if it is not ready."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", program, stdin=pipe, stdout=pipe, env=_environ()
        )
        started = cls(process)
        try:
            async with asyncio.timeout(_START):
                answer = await started._ready
        except BaseException as error:
            await started._abandon()
            if isinstance(error, TimeoutError):
                raise Died(at_it=False) from None
            raise
        if not isinstance(answer, Ready):
            await started._abandon()
            raise Died(at_it=False)
        started.remarks = answer.remarks
        return started

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Use `start`, which waits until it is ready."""
        self._process = process
        self._orders = cast("asyncio.StreamWriter", process.stdin)
        self._answers = cast("asyncio.StreamReader", process.stdout)
        self._asked: deque[asyncio.Future[Answer]] = deque()
        self._unwritten: list[bytes] = []
        self.alive = True
        #: What it had to say when it started.
        self.remarks: tuple[str, ...] = ()
        self._ready = self._expect()
        self._reading = asyncio.create_task(self._read())

    @property
    def depth(self) -> int:
        """How many orders it has not answered."""
        return len(self._asked)

    async def ask(self, data: bytes) -> Made:
        """Return its answer or raise it; raises Died where there is none."""
        if not self.alive:
            raise Died(at_it=False)
        answer = self._expect()
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._write)
        self._unwritten.append(data)
        try:
            async with asyncio.timeout(_SILENCE):
                made = await answer
        except TimeoutError:  # it stands still, its own alarm with it
            self.end()
            raise Died(at_it=True) from None
        if isinstance(made, Exception):
            raise made
        if isinstance(made, Ready):  # none of ours says so twice
            self.end()
            raise Died(at_it=True)
        return made

    def retire(self) -> None:
        """Give it no further order: it ends when it has answered those that it has."""
        self._write()
        self.alive = False
        self._orders.close()

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

    async def _abandon(self) -> None:
        self.end()
        await self.close()

    def end(self) -> None:
        """Kill it; orders that it has not answered raise Died."""
        self.alive = False
        self._orders.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        for number, future in enumerate(self._asked):
            if not future.done():
                future.set_exception(Died(at_it=number < TOGETHER))
                future.exception()  # nobody may be waiting any more
        self._asked.clear()

    def _expect(self) -> asyncio.Future[Answer]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
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
                head, body = sizes(await self._answers.readexactly(SIZES.size))
                told = await self._answers.readexactly(head)
                answer = answer_in(told, await self._answers.readexactly(body))
                future = self._asked.popleft()
                if not future.done():
                    future.set_result(answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, no further answer can be read
            if self.alive:
                _log.warning("a compositor has died", orders=self.depth, error=repr(error))
        finally:
            self.end()


def _environ() -> dict[str, str]:
    """Return the environment without our secrets: hostile text is handled there by native code."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "TZ", "TMPDIR"}
        or name.startswith(("LC_", "PYTHON", "XDG_", "FONTCONFIG_"))
    }
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path)}
