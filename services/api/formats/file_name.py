"""The names of files that reports are saved as."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

from services.api.formats.negotiation import Format
from services.api.formats.report import Report
from shared.text import one_line

_NAME_CHARS_MAX: Final = 60  # of the business's name; file systems take 255 bytes in all
_SHOWN: Final = frozenset({Format.PDF, Format.HTML})  # browsers show these and save the others
# Letters that Unicode does not take apart into a letter of ASCII and a mark.
_LETTERS: Final = str.maketrans("øØđĐðÐłŁħĦɖƉɛƐɔƆƒƑɓƁɗƊƙƘƴƳ", "oOdDdDlLhHdDeEoOfFbBdDkKyY") | {
    ord("ß"): "ss",
    ord("æ"): "ae",
    ord("Æ"): "AE",
    ord("œ"): "oe",
    ord("Œ"): "OE",
    ord("þ"): "th",
    ord("Þ"): "Th",
}
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")
_UNSAFE: Final = re.compile(r'[\\/:*?"<>|%\x7f]+|(?<=\A)\.+|\.+(?=\Z)')


def disposition(report: Report, chosen: Format) -> str:
    """Return the Content-Disposition of a report in the chosen format (RFC 6266).

    It has the file's name in ASCII, and in full for those who read `filename*` (RFC 8187).
    """
    name = one_line(report.business.name)[:_NAME_CHARS_MAX].strip()
    plain = _named(report, _folded(name) or f"business-{report.business.id}", chosen)
    full = _named(report, _UNSAFE.sub("-", name) or f"business-{report.business.id}", chosen)
    place = "inline" if chosen in _SHOWN else "attachment"
    return f"{place}; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"


def _named(report: Report, business: str, chosen: Format) -> str:
    period = report.period
    return f"{report.kind}_{business}_{period.start}_{period.end}.{chosen.word}"


def _folded(name: str) -> str:
    """Return a name in letters and digits of ASCII, with hyphens between its words."""
    apart = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    kept = "".join(each for each in apart if not unicodedata.combining(each))
    return _NO_WORD.sub("-", kept).strip("-")
