"""Dates in the words and the order of a language, by the patterns of CLDR."""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.dates import parse_pattern

from shared.period import Period
from shared.statements.money import Notation

_MARKS: Final = re.compile("[\u200e\u200f\u061c]")
_DAY: Final = re.compile(r"(%\(dd?\)s\.?)")
_TO: Final = "\N{EN DASH}"
# The first of a month is an ordinal number in French, which CLDR does not know.
_FIRST: Final = {"fr": "1er"}


@dataclass(frozen=True, eq=False)
class Calendar:
    """The dates of one language; months and patterns are those of CLDR."""

    language: str
    numbers: Notation
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    quarters: tuple[str, ...]
    #: Patterns for `%` by their use.
    patterns: dict[str, str]

    def day(self, date: dt.date) -> str:
        """Return a date in full, such as `1 November 2024`."""
        return self._written("day", date)

    def short_day(self, date: dt.date) -> str:
        """Return a date for a table, such as `1 Nov 2024`."""
        return self._written("short_day", date)

    def day_of_year(self, date: dt.date) -> str:
        """Return a date without its year, such as `1 Nov`."""
        return self._written("day_of_year", date)

    def month(self, date: dt.date) -> str:
        """Return the month of a date, such as `Nov 2024`."""
        return self._written("month", date)

    def quarter(self, date: dt.date) -> str:
        """Return the quarter of a date, such as `Q4 2024`."""
        return self._written("quarter", date)

    def period(self, days: Period) -> str:
        """Return a period without repeating what its ends share, as in 1 to 30 November 2024."""
        start, end = days.start, days.end
        if start == end:
            return self.day(end)
        use = "years"
        if start.year == end.year:
            use = "days" if start.month == end.month else "months"
        return self._written(f"{use}_from", start) + self._written(f"{use}_to", end)

    def _written(self, use: str, date: dt.date) -> str:
        return _written(self.patterns[use], date, self)


def calendar(locale: Locale, numbers: Notation) -> Calendar:
    """Return the calendar of a locale, which writes numbers so."""
    months = locale.months["format"]
    skeletons = locale.datetime_skeletons
    patterns = {
        "day": locale.date_formats["long"].pattern,
        "short_day": _for_tables(locale),
        "day_of_year": skeletons["MMMd"].pattern,
        "long_day_of_year": skeletons["MMMMd"].pattern,
        "month": skeletons["yMMM"].pattern,
        "quarter": skeletons["yQQQ"].pattern,
    }
    templates = {use: _template(pattern) for use, pattern in patterns.items()}
    return Calendar(
        locale.language,
        numbers,
        tuple(months["wide"][number] for number in range(1, 13)),
        tuple(months["abbreviated"][number] for number in range(1, 13)),
        tuple(locale.quarters["format"]["abbreviated"][number] for number in range(1, 5)),
        templates | _intervals(templates["day"], templates["long_day_of_year"]),
    )


def _intervals(day: str, day_of_year: str) -> dict[str, str]:
    """Return the templates of both ends of a period in one month, in one year and in several.

    CLDR has intervals with short names of months only, which some languages put together otherwise.
    """
    before, number, after = _DAY.split(day, maxsplit=1)
    return {
        "days_from": f"{before}{number}{_TO}",
        "days_to": f"{number}{after}",
        "months_from": f"{day_of_year} {_TO} ",
        "months_to": day,
        "years_from": f"{day} {_TO} ",
        "years_to": day,
    }


def _for_tables(locale: Locale) -> str:
    """Return the medium pattern, or a shorter or plainer one for a column."""
    medium: str = locale.date_formats["medium"].pattern
    if _MARKS.search(medium):  # figures only, which change their order beside other figures
        plain: str = locale.datetime_skeletons["yMMMd"].pattern
        return plain
    if "'" in medium:  # "1 de nov. de 2024"
        return re.sub("y+", "y", locale.date_formats["short"].pattern)
    return medium


def _template(pattern: str) -> str:
    return _MARKS.sub("", str(parse_pattern(pattern).format))


@lru_cache(maxsize=8192)
def _written(template: str, date: dt.date, calendar: Calendar) -> str:
    month = date.month
    day = str(date.day)
    named = "(MMM" in template
    written = template % {
        "d": _FIRST.get(calendar.language, day) if date.day == 1 and named else day,
        "dd": f"{date.day:02}",
        "M": str(month),
        "MM": f"{month:02}",
        "MMM": calendar.short_months[month - 1],
        "MMMM": calendar.months[month - 1],
        "QQQ": calendar.quarters[(month - 1) // 3],
        "QQQQ": calendar.quarters[(month - 1) // 3],
        "y": str(date.year),
    }
    return calendar.numbers.in_digits(written)
