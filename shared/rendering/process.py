"""A rendering process as its parent sees it: a process with one pipe to it and one from it."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self, TypeVar, cast

import structlog

from shared.rendering.answers import Answer, MessagePart, MessageParts, Ready, ReportPdf, answer_in
from shared.rendering.frames import SIZES, TOGETHER, sizes

_log = structlog.get_logger("ledgerpost.rendering")
_START_S: Final = 60.0
_ANSWER_S: Final = 600.0  # all requests that a process has are answered within it
_EXIT_S: Final = 5.0


Made = TypeVar("Made", MessageParts, MessagePart, ReportPdf)


class ProcessDied(Exception):
    """The process ended before it answered. `at_it`: it may have been at this very request."""

    def __init__(self, *, at_it: bool) -> None:
        super().__init__(at_it)
        self.at_it = at_it


class RenderProcess:
    """One process, which answers requests in the order in which they are written."""

    @classmethod
    async def start(cls, arguments: Sequence[str]) -> Self:
        """Start Python with these arguments, and return the process when it is ready.

        Raises OSError if there can be no process, and ProcessDied if it is not ready in time.
        """
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", *arguments, stdin=pipe, stdout=pipe, env=environment()
        )
        started = cls(process)
        try:
            async with asyncio.timeout(_START_S):
                answer = await started._ready
        except BaseException as error:
            await started._abandon()
            if isinstance(error, TimeoutError):
                raise ProcessDied(at_it=False) from None
            raise
        if not isinstance(answer, Ready):
            await started._abandon()
            raise ProcessDied(at_it=False)
        started.remarks = answer.remarks
        return started

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Use `start`, which waits until the process is ready."""
        self._process = process
        self._requests = cast("asyncio.StreamWriter", process.stdin)
        self._answers = cast("asyncio.StreamReader", process.stdout)
        self._pending: deque[asyncio.Future[Answer]] = deque()
        self._unwritten: list[bytes] = []
        self.alive = True
        #: The remarks with which the process started.
        self.remarks: tuple[str, ...] = ()
        self._ready = self._expect()
        self._reading = asyncio.create_task(self._read())

    @property
    def depth(self) -> int:
        """The number of requests without an answer."""
        return len(self._pending)

    async def render(self, frame: bytes, kind: type[Made]) -> Made:
        """Return the answer to the request in a frame, which should be of this kind.

        Raises the error that is the answer, or ProcessDied if there is no answer.
        """
        if not self.alive:
            raise ProcessDied(at_it=False)
        pending = self._expect()
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._write)
        self._unwritten.append(frame)
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await pending
        except TimeoutError:  # the process stands still, and so does its own alarm
            self.end()
            raise ProcessDied(at_it=True) from None
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, kind):  # no process of ours answers so
            self.end()
            raise ProcessDied(at_it=True)
        return answer

    def retire(self) -> None:
        """Give the process no further request: it ends when it has answered those that it has."""
        self._write()
        self.alive = False
        self._requests.close()

    async def close(self) -> None:
        """Wait until the process has ended; kill it if that takes long."""
        self.alive = False
        self._requests.close()
        try:
            async with asyncio.timeout(_EXIT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _abandon(self) -> None:
        self.end()
        await self.close()

    def end(self) -> None:
        """Kill the process; requests without an answer raise ProcessDied."""
        self.alive = False
        self._requests.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        for number, future in enumerate(self._pending):
            if not future.done():
                future.set_exception(ProcessDied(at_it=number < TOGETHER))
                future.exception()  # nobody may be waiting any more
        self._pending.clear()

    def _expect(self) -> asyncio.Future[Answer]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending.append(answer)
        return answer

    def _write(self) -> None:
        """Write all new requests at once, because each write wakes the process."""
        data, self._unwritten = b"".join(self._unwritten), []
        if self.alive:
            self._requests.write(data)

    async def _read(self) -> None:
        try:
            while True:
                head, body = sizes(await self._answers.readexactly(SIZES.size))
                fields = await self._answers.readexactly(head)
                answer = answer_in(fields, await self._answers.readexactly(body))
                future = self._pending.popleft()
                if not future.done():
                    future.set_result(answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, no further answer can be read
            if self.alive:
                _log.warning("rendering_process_died", requests=self.depth, error=repr(error))
        finally:
            self.end()


def environment() -> dict[str, str]:
    """Return the environment of a process that handles hostile text: ours, without secrets."""
    harmless = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "TZ", "TMPDIR"}
        or name.startswith(("LC_", "PYTHON", "XDG_", "FONTCONFIG_"))
    }
    return harmless | {"PYTHONPATH": os.pathsep.join(sys.path)}
