"""The days of a word, against a calendar that is walked day by day, in every time zone."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from services.api.businesses.model import Business
from services.api.businesses.periods import period_meant
from services.api.core.period_words import period_of_word
from shared import timezones
from shared.period import Period

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))
STARTS = st.tuples(st.integers(1, 12), st.integers(1, 28))
ONE_DAY = timedelta(days=1)


def walked(day: date, key: Callable[[date], object], back: int) -> Period:
    """Walk back from `day` over so many changes of `key`, and to both ends of what is reached."""
    for _ in range(back):
        current = key(day)
        while key(day) == current:
            day -= ONE_DAY
    first = last = day
    while key(first - ONE_DAY) == key(day):
        first -= ONE_DAY
    while key(last + ONE_DAY) == key(day):
        last += ONE_DAY
    return Period(first, last)


KEYS: dict[str, Callable[[date], object]] = {
    "week": lambda day: day.isocalendar()[:2],
    "month": lambda day: (day.year, day.month),
    "quarter": lambda day: (day.year, (day.month + 2) // 3),
    "year": lambda day: day.year,
}


@seed(20261128)
@settings(max_examples=150, deadline=None)
@given(today=DAYS, unit=st.sampled_from(sorted(KEYS)), back=st.integers(0, 6))
def test_calendar_periods_are_those_of_a_walk(today: date, unit: str, back: int) -> None:
    expected = walked(today, KEYS[unit], back)
    assert period_of_word(f"{unit}-{back}", today) == expected
    if back < 2:
        assert period_of_word(f"{('this', 'last')[back]}-{unit}", today) == expected
    if back == 0 and unit != "week":
        assert period_of_word(f"{unit[0]}td", today) == Period(expected.start, today)


@seed(20261128)
@settings(max_examples=60, deadline=None)
@given(today=DAYS, start=STARTS)
def test_fiscal_years_are_those_of_a_walk(today: date, start: tuple[int, int]) -> None:
    def begun(day: date) -> int:
        return day.year if (day.month, day.day) >= start else day.year - 1

    current, before = walked(today, begun, 0), walked(today, begun, 1)
    assert period_of_word("fy", today, start) == current
    assert period_of_word("last-fy", today, start) == before
    assert period_of_word(f"fy{current.end.year}", today, start) == current
    quarters = [
        period_of_word(f"fy{current.end.year}-Q{number}", today, start) for number in range(1, 5)
    ]
    assert (quarters[0].start, quarters[3].end) == (current.start, current.end)
    for one, after in pairwise(quarters):
        assert after.start == one.end + ONE_DAY
        assert (after.start.month - one.start.month) % 12 == 3


WORDS = """
today yesterday this-week last-week last-month this-quarter last-year mtd qtd ytd last-7-days
last-90-days last-12-months fy last-fy fy2026 fy2027-Q3 month-7 quarter-13 week-53 year-4 2026
2026-Q1 2025-03 2026-W53 2027-W01 2026-03-14 0001 9999 9999-W52
"""
A_WORD = st.sampled_from(WORDS.split())


@seed(20261128)
@settings(max_examples=300, deadline=None)
@given(today=DAYS, start=STARTS, first=A_WORD, last=A_WORD)
def test_a_range_goes_from_the_first_day_of_one_to_the_last_day_of_the_other(
    today: date, start: tuple[int, int], first: str, last: str
) -> None:
    one, other = (
        period_of_word_or_none(first, today, start),
        period_of_word_or_none(last, today, start),
    )
    whole = period_of_word_or_none(f"{first}..{last}", today, start)
    if whole is None:
        assert one is None or other is None or ".." in first + last or one.start > other.end
        return
    assert one is not None
    assert other is not None
    assert whole == Period(one.start, other.end)
    assert whole.start <= whole.end


def period_of_word_or_none(word: str, today: date, start: tuple[int, int]) -> Period | None:
    try:
        period = period_of_word(word, today, start)
    except ValueError:
        return None
    assert period.start <= period.end
    return period


def shifts(zone: ZoneInfo, year: int) -> Iterator[date]:
    """Yield the days on which the clock of the zone is changed in this year."""
    day = datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        after = day + ONE_DAY
        if day.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            yield after.astimezone(zone).date()
        day = after


def test_today_is_the_day_of_the_business_in_every_zone_at_every_change_of_its_clock() -> None:
    changed = 0
    for name in sorted(timezones.names()):
        zone = ZoneInfo(name)
        business = Business(1, "A", "EUR", name, (4, 1))
        for shift in (*shifts(zone, 2024), date(2024, 12, 31), date(2024, 2, 29)):
            changed += 1
            for days in (-1, 0, 1):
                day = shift + days * ONE_DAY
                for hour, minute in ((0, 0), (0, 30), (12, 0), (23, 30), (23, 59)):
                    clock = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    now = clock.astimezone(UTC)
                    if now.astimezone(zone).replace(tzinfo=None) != clock.replace(tzinfo=None):
                        continue  # the clock skips this time
                    assert period_meant("today", business, now) == Period(day, day), (name, clock)
                    assert period_meant("mtd", business, now) == Period(day.replace(day=1), day)
    assert changed > 1400  # 600 zones, of which a third change their clocks twice
