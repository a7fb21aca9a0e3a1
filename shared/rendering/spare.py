"""Processes for requests that a person waits for: one for each, kept for the next one."""

import asyncio
from collections.abc import Sequence
from typing import Final, Self

import structlog

from shared.rendering.frames import RenderingError
from shared.rendering.process import Made, ProcessDied, RenderProcess
from shared.statements.decoding import StatementError
from shared.statements.flaws import TypesettingError

_log = structlog.get_logger("ledgerpost.rendering")
_IDLE_MAX: Final = 1
_FAILURES: Final = (ProcessDied, OSError, RenderingError, StatementError, TypesettingError)


class SpareProcesses:
    """Processes of one program, each for one request at a time; the first request starts one.

    Whoever calls limits how many requests there are at once.
    """

    def __init__(self, program: Sequence[str]) -> None:
        self._program = program
        self._idle: list[RenderProcess] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*(process.close() for process in self._idle))

    async def answer(self, frame: bytes, kind: type[Made], *, big: bool) -> Made | None:
        """Return the answer to the request in a frame; None if it cannot be made, which is logged.

        A process that answered a `big` request ends, to give its memory back; so does that of a
        caller who is cancelled.
        """
        try:
            return await self._answer(frame, kind, big=big)
        except _FAILURES as error:
            # The words of the error may hold a part of somebody's text.
            _log.error("file_not_typeset", error=type(error).__name__)
            return None

    async def _answer(self, frame: bytes, kind: type[Made], *, big: bool) -> Made:
        process = await self._taken()
        try:
            answer = await process.render(frame, kind)
        except BaseException:
            process.end()
            await process.close()
            raise
        if process.alive and not big and len(self._idle) < _IDLE_MAX:
            self._idle.append(process)
        else:
            await process.close()
        return answer

    async def _taken(self) -> RenderProcess:
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
        process = await RenderProcess.start(self._program)
        for remark in process.remarks:
            _log.warning("rendering_remark", text=remark)
        return process
