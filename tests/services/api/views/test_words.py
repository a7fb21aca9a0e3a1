"""The period language against its independent model, over days, fiscal years and all timezones."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from random import Random

import pytest
from dateutil import tz

from services.api.businesses.model import Business
from services.api.core.period_words import period_of_word
from tests.services.api.views.words import days_of

SUNDAY = date(2026, 3, 15)
TABLE = {
    "today": "2026-03-15 2026-03-15",
    "yesterday": "2026-03-14 2026-03-14",
    "this-week": "2026-03-09 2026-03-15",
    "last-week": "2026-03-02 2026-03-08",
    "this-month": "2026-03-01 2026-03-31",
    "last-month": "2026-02-01 2026-02-28",
    "this-quarter": "2026-01-01 2026-03-31",
    "last-quarter": "2025-10-01 2025-12-31",
    "this-year": "2026-01-01 2026-12-31",
    "last-year": "2025-01-01 2025-12-31",
    "mtd": "2026-03-01 2026-03-15",
    "qtd": "2026-01-01 2026-03-15",
    "ytd": "2026-01-01 2026-03-15",
    "last-7-days": "2026-03-09 2026-03-15",
    "last-30-days": "2026-02-14 2026-03-15",
    "last-90-days": "2025-12-16 2026-03-15",
    "last-12-months": "2025-03-01 2026-02-28",
    "2026": "2026-01-01 2026-12-31",
    "2026-Q1": "2026-01-01 2026-03-31",
    "2026-03": "2026-03-01 2026-03-31",
    "2024-02": "2024-02-01 2024-02-29",
    "2026-W12": "2026-03-16 2026-03-22",
    "2026-W53": "2026-12-28 2027-01-03",
    "2026-W01": "2025-12-29 2026-01-04",
    "2026-03-14": "2026-03-14 2026-03-14",
    "fy": "2025-04-06 2026-04-05",
    "last-fy": "2024-04-06 2025-04-05",
    "fy2026": "2025-04-06 2026-04-05",
    "fy2026-Q3": "2025-10-06 2026-01-05",
    "fy2026-Q4": "2026-01-06 2026-04-05",
    "month-1": "2026-02-01 2026-02-28",
    "month-0": "2026-03-01 2026-03-31",
    "quarter-2": "2025-07-01 2025-09-30",
    "year-1": "2025-01-01 2025-12-31",
    "week-3": "2026-02-16 2026-02-22",
    "month-9999": "1192-12-01 1192-12-31",
    "0001": "0001-01-01 0001-12-31",
    "9999-Q4": "9999-10-01 9999-12-31",
    "2025-Q4..2026-03-14": "2025-10-01 2026-03-14",
    "last-year..today": "2025-01-01 2026-03-15",
    "fy2026-Q1..2026": "2025-04-06 2026-12-31",
}
REFUSED = (
    "", " ", "..", "2026..", "..2026", "2026...2027", "2026..2027..2028", "2027..2026", "0000",
    "2026-Q0", "2026-Q5", "2026-13", "2026-00", "2026-02-30", "2025-W53", "2026-W00", "2026-W54",
    "9999-W52", "fy0001", "year-9999", "week--1", "month-", "month-12345", "last-8-days", "fy26",
    "this-day", "TODAY", "2026-q1", "2026-w12", "today ", "2026-3", "20260314", "10000",
    "\N{FULLWIDTH DIGIT TWO}026",
    "2026/03", "2026-03-14T00:00", "quarter", "fy2026-Q5", "today\n", "2026%00", "2026-03-1",
)  # fmt: skip
RELATIVE = [
    "today", "yesterday", "mtd", "qtd", "ytd", "fy", "last-fy", "last-12-months",
    *(f"this-{unit}" for unit in ("week", "month", "quarter", "year")),
    *(f"last-{unit}" for unit in ("week", "month", "quarter", "year")),
    *(f"last-{days}-days" for days in (7, 30, 90)),
]  # fmt: skip


@pytest.mark.parametrize("word", TABLE)
def test_each_word_means_its_days(word: str) -> None:
    period = period_of_word(word, SUNDAY, (4, 6))
    assert f"{period.start} {period.end}" == TABLE[word]
    assert " ".join(map(str, days_of(word, SUNDAY, (4, 6)))) == TABLE[word]


@pytest.mark.parametrize("word", REFUSED)
def test_what_is_no_period_is_refused_with_examples(word: str) -> None:
    with pytest.raises(ValueError, match=r"this-month.*2026-Q1"):
        period_of_word(word, SUNDAY, (4, 6))
    with pytest.raises(ValueError):  # noqa: PT011 -- the model says no more
        days_of(word, SUNDAY, (4, 6))


def test_random_words_on_random_days() -> None:
    random = Random(12)
    refused = 0
    for _ in range(20_000):
        words, today = _words(random), _day(random)
        fiscal = random.choice([(1, 1), (1, 2), (2, 28), (4, 1), (4, 6), (12, 28)])
        try:
            expected = days_of(words, today, fiscal)
        except ValueError:
            refused += 1
            with pytest.raises(ValueError, match="examples"):
                period_of_word(words, today, fiscal)
        else:
            period = period_of_word(words, today, fiscal)
            assert (period.start, period.end) == expected, (words, today, fiscal)
    assert 1_000 < refused < 12_000


def _words(random: Random) -> str:
    word = _word(random)
    return f"{word}..{_word(random)}" if random.random() < 0.3 else word


def _word(random: Random) -> str:
    year = random.choice([1, 2, 1999, 2020, 2023, 2024, 2026, 2027, 9998, 9999])
    unit = random.choice(["week", "month", "quarter", "year"])
    return random.choice(
        [
            *random.choices(RELATIVE, k=4),
            f"{year:04}",
            f"{year:04}-Q{random.randint(1, 4)}",
            f"{year:04}-{random.randint(1, 12):02}",
            f"{year:04}-W{random.randint(0, 53):02}",
            f"{year:04}-{random.randint(1, 12):02}-{random.randint(1, 31):02}",
            f"fy{year:04}",
            f"fy{year:04}-Q{random.randint(1, 4)}",
            f"{unit}-{random.choice([0, 1, 2, 13, 53, 100, 2023, 9999])}",
        ]
    )


def _day(random: Random) -> date:
    if random.random() < 0.05:
        return random.choice([date.min, date.max, date.min + timedelta(400)])
    return date(2019, 12, 20) + timedelta(random.randint(0, 3000))


def test_today_is_the_calendar_day_of_the_business_in_every_timezone() -> None:
    """At 23:30 and 00:30 local time around each change of clocks, and at each change itself.

    What is compared with is another program's reading of the same timezone database.
    """
    checked = 0
    for zone in sorted(zoneinfo.available_timezones() - {"localtime", "posixrules"}):
        other = _read_by_dateutil(zone)
        if other is None:
            continue
        business = Business(1, "B", "EUR", zone)
        for moment in _moments(other):
            expected = moment.astimezone(other).date()
            assert business.today(moment) == expected, (zone, moment)
            today = period_of_word("today", business.today(moment))
            assert (today.start, today.end) == (expected, expected)
            checked += 1
    assert checked > 10_000


def _read_by_dateutil(zone: str) -> tz.tzfile | None:
    """The file that zoneinfo reads: the system's, or else that of the package tzdata."""
    packaged = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/"))
    for path in (*(Path(folder, zone) for folder in zoneinfo.TZPATH), packaged):
        if path.is_file():
            with path.open("rb") as file:
                return tz.tzfile(file)
    return None


def _moments(zone: tz.tzfile) -> list[datetime]:
    """Half past eleven and half past midnight around the changes of a zone's clocks."""
    moments = []
    for change in _changes(zone) or [datetime(2026, 3, 29, 1, tzinfo=UTC)]:
        moments += [change, change - timedelta(seconds=1)]
        local = change.astimezone(zone)
        for days in (-1, 0, 1):
            night = datetime(local.year, local.month, local.day, 23, 30, tzinfo=zone)
            moments += [
                (night + timedelta(days=days)).astimezone(UTC),
                (night + timedelta(days=days, hours=1)).astimezone(UTC),
            ]
    return moments


def _changes(zone: tz.tzfile) -> list[datetime]:
    """The instants of 2025 to 2027 at which a zone's clocks are changed."""
    found = []
    before = datetime(2025, 1, 1, tzinfo=UTC)
    while before.year < 2028:
        after = before + timedelta(days=9)
        if _offset(zone, before) != _offset(zone, after):
            found.append(_first_with_offset_of(zone, before, after))
        before = after
    return found


def _first_with_offset_of(zone: tz.tzfile, before: datetime, after: datetime) -> datetime:
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == _offset(zone, after):
            after = middle
        else:
            before = middle
    return after


def _offset(zone: tz.tzfile, moment: datetime) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
