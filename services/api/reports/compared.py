"""The period with which a report's period is compared."""

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date, timedelta

from services.api.core.refusals import Invalid
from services.api.reports.options import Compare
from shared.period import Period

_MONTHS = 12
_DAY = timedelta(days=1)
_DAY_OF_EVERY_MONTH = 28  # the last day that every month has


def compared_period(period: Period, compare: Compare) -> Period:
    """Return the period with which `period` is compared.

    Raises Invalid if it would begin before the year 1.
    """
    try:
        if compare is Compare.PREVIOUS_YEAR:
            return Period(_year_before(period.start), _year_before(period.end))
        return _previous(period)
    except (OverflowError, ValueError):
        raise Invalid("compare", "reaches back to before the year 1") from None


def _previous(period: Period) -> Period:
    months = _whole_months(period)
    end = period.start - _DAY
    if months:
        return Period(_months_before(period.start, months), end)
    return Period(period.start - (period.end - period.start) - _DAY, end)


def _whole_months(period: Period) -> int:
    """Return how many months the period is from its first day on; 0 if it is not of whole ones."""
    start = period.start
    if start.day > _DAY_OF_EVERY_MONTH:
        return 0
    after = _day_after(period.end)
    return _number(after) - _number(start) if after[2] == start.day else 0


def _day_after(day: date) -> tuple[int, int, int]:
    """Return year, month and day of the next day, which may be beyond the last date."""
    if day == date.max:
        return MAXYEAR + 1, 1, 1
    after = day + _DAY
    return after.year, after.month, after.day


def _number(day: date | tuple[int, int, int]) -> int:
    """Return the number of the day's month, counted from the year 0."""
    year, month = (day.year, day.month) if isinstance(day, date) else day[:2]
    return year * _MONTHS + month - 1


def _months_before(day: date, months: int) -> date:
    year, month = divmod(_number(day) - months, _MONTHS)
    return day.replace(year=year, month=month + 1)


def _year_before(day: date) -> date:
    """Return the day a year before; the last day of a month stays the last of its month."""
    year = day.year - 1
    if year < MINYEAR:
        raise OverflowError
    last = monthrange(day.year, day.month)[1]
    return day.replace(
        year=year, day=monthrange(year, day.month)[1] if day.day == last else day.day
    )
