"""The processes that typeset reports: one for each PDF that is made, kept for the next one."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Self

import structlog
from aiohttp import web

from services.api.core.refusals import Invalid
from services.api.formats.negotiation import PARAMETER
from services.api.formats.page.navigation import Navigation
from services.api.formats.pdf.view import view
from services.api.formats.report import Report, Value
from shared.rendering.frames import RenderingError, ReportPdf, ReportRequest, report_frame
from shared.rendering.process import ProcessDied, RenderProcess
from shared.statements.pdf import TypesettingError

ROWS_MAX: Final = 2_000

_log = structlog.stdlib.get_logger(__name__)
_PROGRAM: Final = ("-m", "services.api.formats.pdf")
_BIG_ROWS: Final = 200  # a process ends after more rows, to give its memory back
_IDLE_MAX: Final = 1
_SORRY: Final = "The PDF of this report cannot be made; take csv or xlsx."


class Typesetting:
    """Makes PDFs. Whoever calls limits how many are made at once."""

    def __init__(self) -> None:
        self._idle: list[RenderProcess] = []

    async def __aenter__(self) -> Self:
        # The first process is started by the first PDF.
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*(process.close() for process in self._idle))

    async def pdf(self, report: Report, navigation: Navigation) -> bytes:
        """Return the PDF of a report, with the columns and bars that a page of it shows.

        Raises Invalid if the report has more than 2,000 rows, and HTTPInternalServerError if it
        cannot be typeset.
        """
        rows = await _rows(report)
        try:
            frame = await asyncio.to_thread(_frame, report, navigation, rows)
            answer = await self._answer(frame, len(rows))
        except (ProcessDied, OSError, RenderingError, TypesettingError) as error:
            # The words of the error may hold a part of the report.
            _log.error("a report cannot be typeset", error=type(error).__name__)
            raise web.HTTPInternalServerError(text=_SORRY) from None
        for flaw in answer.flaws:
            _log.warning("a PDF has a flaw", kind=flaw.kind, text=flaw.text)
        return answer.pdf

    async def _answer(self, frame: bytes, rows: int) -> ReportPdf:
        process = await self._taken()
        try:
            answer = await process.render(frame, ReportPdf)
        except BaseException:
            process.end()
            await process.close()
            raise
        if process.alive and rows <= _BIG_ROWS and len(self._idle) < _IDLE_MAX:
            self._idle.append(process)
        else:
            await process.close()
        return answer

    async def _taken(self) -> RenderProcess:
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
        process = await RenderProcess.start(_PROGRAM)
        for remark in process.remarks:
            _log.warning(remark)
        return process


def _frame(report: Report, navigation: Navigation, rows: Sequence[Sequence[Value]]) -> bytes:
    data = json.dumps(view(report, navigation, rows)).encode()
    return report_frame(ReportRequest(data, datetime.now(UTC)))


async def _rows(report: Report) -> Sequence[Sequence[Value]]:
    rows: list[Sequence[Value]] = []
    async for batch in report.rows():
        rows += batch
        if len(rows) > ROWS_MAX:
            raise Invalid(
                PARAMETER, f"a PDF holds at most {ROWS_MAX:,} rows; take csv or xlsx, or a filter"
            )
    return rows
