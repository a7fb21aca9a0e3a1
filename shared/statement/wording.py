"""Names, dates and messages from outside, made fit for one line, a header or a page."""

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_TO: Final = "\N{EN DASH}"
_BREAKS: Final = re.compile("\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
# With these go the halves of surrogate pairs, which no encoding could carry.
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# A bidirectional override in a name can turn a figure beside it around, so none is kept; the
# letters of right-to-left scripts carry their direction themselves.
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def line(text: str | None, limit: int = 400) -> str:
    """Return the text as one line without control characters, at most `limit` characters."""
    text = text or ""
    # A character that is printable is neither a control nor a mark of direction.
    plain = " ".join((text if text.isprintable() else _printable(text)).split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def _printable(text: str) -> str:
    return _CONTROLS.sub(" ", _BIDI.sub("", text))


def lines(text: str | None) -> list[str]:
    """Return the lines of a text of several, without control characters or blank ends."""
    kept = _BREAKS.split(_BIDI.sub("", text or ""))
    plain = [_CONTROLS.sub(" ", part).rstrip() for part in kept]
    filled = [place for place, part in enumerate(plain) if part]
    return plain[filled[0] : filled[-1] + 1] if filled else []


def day(date: dt.date) -> str:
    """Return a date in full, such as `1 November 2024`."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def short_day(date: dt.date) -> str:
    """Return a date for a table, such as `1 Nov 2024`."""
    return f"{date.day} {_MONTHS[date.month - 1][:3]} {date.year}"


def period(since: dt.date, until: dt.date) -> str:
    """Return a period without saying twice what its two ends share, as in 1 to 30 November 2024."""
    if since == until:
        return day(until)
    if (since.year, since.month) == (until.year, until.month):
        return f"{since.day}{_TO}{day(until)}"
    if since.year == until.year:
        return f"{since.day} {_MONTHS[since.month - 1]} {_TO} {day(until)}"
    return f"{day(since)} {_TO} {day(until)}"


def local(moment: dt.datetime, timezone: str) -> dt.datetime:
    """Return the moment on the business's clock; in UTC where the zone is unknown here."""
    try:
        return moment.astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.astimezone(dt.UTC)


def slug(text: str) -> str:
    """Return the ASCII letters and digits of a name for a file's name; may be empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:40].strip("-")
