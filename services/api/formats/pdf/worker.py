"""The work of a process that typesets reports."""

import json
import traceback
from functools import partial
from pathlib import Path
from typing import Final

from shared.rendering import service
from shared.rendering.answers import Answer, ReportPdf
from shared.rendering.frames import RenderingError, ReportRequest, report_requests_in
from shared.rendering.service import Service
from shared.statements.attachment import AttachmentMaker
from shared.statements.flaws import TypesettingError
from shared.statements.pdf import Template

_TEMPLATE: Final = Template(Path(__file__).parent / "report.typ")


def serve() -> None:
    """Serve requests for reports until the pipe is closed."""
    service.serve(_reports)


def _reports() -> Service[ReportRequest]:
    maker = AttachmentMaker(_TEMPLATE)
    return Service(maker.fonts, maker.uncovered, report_requests_in, partial(_answer, maker))


def _answer(maker: AttachmentMaker, request: ReportRequest) -> Answer:
    try:
        pdf, flaws = maker.attachment(json.loads(request.view), request.made)
    except Exception:  # noqa: BLE001 -- raised on the other side of the pipe
        return RenderingError(traceback.format_exc())
    if pdf is None:
        return TypesettingError("; ".join(flaw.text for flaw in flaws))
    return ReportPdf(pdf, flaws)
