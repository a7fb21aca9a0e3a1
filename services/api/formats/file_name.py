"""The names of files that reports are saved as."""

import re
from typing import Final
from urllib.parse import quote

from services.api.formats.negotiation import Format
from services.api.formats.report import Report
from shared.statements.wording import slug
from shared.text import one_line

_NAME_CHARS_MAX: Final = 60  # of the business's name; file systems take 255 bytes in all
_SHOWN: Final = frozenset({Format.PDF, Format.HTML})  # browsers show these and save the others
_UNSAFE: Final = re.compile(r'[\\/:*?"<>|%\x7f]+|(?<=\A)\.+|\.+(?=\Z)')


def disposition(report: Report, chosen: Format) -> str:
    """Return the Content-Disposition of a report in the chosen format (RFC 6266).

    It has the file's name in ASCII, and in full for those who read `filename*` (RFC 8187).
    """
    name = one_line(report.business.name)[:_NAME_CHARS_MAX].strip()
    plain = _named(report, slug(name) or f"business-{report.business.id}", chosen)
    full = _named(report, _UNSAFE.sub("-", name) or f"business-{report.business.id}", chosen)
    place = "inline" if chosen in _SHOWN else "attachment"
    return f"{place}; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"


def _named(report: Report, business: str, chosen: Format) -> str:
    period = report.period
    return f"{report.kind}_{business}_{period.start}_{period.end}.{chosen.word}"
