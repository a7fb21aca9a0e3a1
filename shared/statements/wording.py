"""Prepares names, dates and messages from outside for a line, a header or a page."""

import datetime as dt
import re
import unicodedata
from typing import Final
from zoneinfo import ZoneInfo

from shared import timezones
from shared.period import Period
from shared.text import cut, one_line

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_TO: Final = "\N{EN DASH}"

# Unambiguous abbreviations of zones; SST, CST, IST and others are ambiguous.
_ZONES: Final = """
    UTC GMT CET CEST EET EEST WET WEST MSK JST KST WIB WITA WIT PKT CAT EAT WAT SAST
    EST EDT MDT PDT AKST AKDT HST AEST AEDT ACST ACDT AWST NZST NZDT
"""
# Thai and Lao write these before the consonant after which they are spoken.
_LEADING_VOWELS: Final = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4")
# Letters that do not decompose into a letter and a mark.
_FOLDING: Final = """
    ß ss ł l ø o æ ae œ oe đ d ð d þ th ħ h \N{LATIN SMALL LETTER DOTLESS I} i
    ŋ ng ŧ t ɛ e ɔ o ɖ d ɓ b ɗ d ƙ k ĳ ij ə e
"""
_FOLDED: Final = str.maketrans(dict(zip(*[iter(_FOLDING.split())] * 2, strict=True)))
_LONGEST_NAME: Final = 200  # characters of a name that are read
_LONGEST_SLUG: Final = 28  # with two dates, a name of 60 characters, which all systems keep


def line(text: str | None, limit: int = 400) -> str:
    """Return a stored text as one line of at most `limit` characters; empty if there is none."""
    return cut(one_line(text or ""), limit)


def day(date: dt.date) -> str:
    """Return a date in full, such as `1 November 2024`."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def short_day(date: dt.date) -> str:
    """Return a date for a table, such as `1 Nov 2024`."""
    return f"{date.day} {_MONTHS[date.month - 1][:3]} {date.year}"


def period(days: Period) -> str:
    """Return a period without repeating what its ends share, as in 1 to 30 November 2024."""
    start, end = days.start, days.end
    if start == end:
        return day(end)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}{_TO}{day(end)}"
    if start.year == end.year:
        return f"{start.day} {_MONTHS[start.month - 1]} {_TO} {day(end)}"
    return f"{day(start)} {_TO} {day(end)}"


def local(moment: dt.datetime, timezone: str) -> dt.datetime:
    """Return the moment in the business's time zone, or in UTC if the zone is unknown."""
    if timezone not in timezones.names():
        return moment.astimezone(dt.UTC)
    return moment.astimezone(ZoneInfo(timezone))


def clock(moment: dt.datetime) -> str:
    """Return the time of day with its zone, such as `16:00 (CET)` or `16:00 (UTC+5:30)`.

    The zone's abbreviation is used only if it is unambiguous.
    """
    name = moment.tzname() or ""
    return f"{moment:%H:%M} ({name if name in _ZONES.split() else _offset(moment)})"


def _offset(moment: dt.datetime) -> str:
    seconds = int((moment.utcoffset() or dt.timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    sign = "\N{MINUS SIGN}" if seconds < 0 else "+"
    return f"UTC{sign}{hours}{f':{minutes:02}' if minutes else ''}"


def initial(name: str) -> str:
    """Return the initial for a name's tile: its first letter, in title case.

    A title's first letter and not a capital, as Georgian has no capitals that a font would show;
    never a vowel sign, which some scripts write before the letter that it belongs to.
    """
    name = unicodedata.normalize("NFC", name[:_LONGEST_NAME])
    for char in name:
        if char.isalnum() and char not in _LEADING_VOWELS:
            return char.title()[:1]
    return next((char for char in name if unicodedata.category(char) == "So"), "#")


def slug(text: str) -> str:
    """Return the letters and digits of a name in ASCII, for a file's name; may be empty."""
    # Cut first: the time to normalize many marks in a row grows with the square of their number.
    plain = unicodedata.normalize("NFKD", text[:_LONGEST_NAME].lower().translate(_FOLDED)).lower()
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")[:_LONGEST_SLUG].strip("-")
