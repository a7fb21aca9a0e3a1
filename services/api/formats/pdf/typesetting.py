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
from shared.rendering.answers import ReportPdf
from shared.rendering.frames import ReportRequest, report_frame
from shared.rendering.spare import SpareProcesses
from shared.statements.flaws import TypesettingError

ROWS_MAX: Final = 2_000

_log = structlog.stdlib.get_logger(__name__)
_PROGRAM: Final = ("-m", "services.api.formats.pdf")
_BIG_ROWS: Final = 200  # a process ends after more rows, to give its memory back
_SORRY: Final = "The PDF of this report cannot be made; take csv or xlsx."


class Typesetting:
    """Makes PDFs. Whoever calls limits how many are made at once."""

    def __init__(self) -> None:
        self._processes = SpareProcesses(_PROGRAM)

    async def __aenter__(self) -> Self:
        await self._processes.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._processes.__aexit__(*exc)

    async def pdf(self, report: Report, navigation: Navigation) -> bytes:
        """Return the PDF of a report, with the columns and bars that a page of it shows.

        Raises Invalid if the report has more than 2,000 rows, and HTTPInternalServerError if it
        cannot be typeset.
        """
        rows = await _rows(report)
        try:
            frame = await asyncio.to_thread(_frame, report, navigation, rows)
        except TypesettingError:
            answer = None
        else:
            big = len(rows) > _BIG_ROWS
            answer = await self._processes.answer(frame, ReportPdf, big=big)
        if answer is None:
            raise web.HTTPInternalServerError(text=_SORRY)
        for flaw in answer.flaws:
            _log.warning("pdf_flawed", kind=flaw.kind, text=flaw.text)
        return answer.pdf


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
