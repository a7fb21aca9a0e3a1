"""Every rule and every time zone against another model (walked_calendar.py): no occurrence is
missing, and none is there twice.

`make calendar` tries all rules and zones over a hundred years, and takes minutes; here it is some
of them, the same ones each time.
"""

import os
import zoneinfo
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from services.api.schedules.instants import instant
from services.api.schedules.occurrences import dates
from services.api.schedules.rule import STORED
from services.api.schedules.timing import Timing
from shared import timezones
from tests.services.api.schedules.walked_calendar import (
    DAY,
    Clocks,
    Day,
    days,
    has,
    rules,
    seconds,
)

ALL = os.environ.get("CALENDAR") == "all"
FIRST, LAST = date(1976 if ALL else 2010, 1, 1), date(2076 if ALL else 2032, 12, 31)
ONE_DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Half hours, midnights, a day that was left out, and a month of fasting within summer time.
ODD = ("Australia/Lord_Howe", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Africa/Casablanca")
# One rule of each kind, for each zone.
KINDS = [
    {"every": "week", "weekday": "sun"},
    *(
        {**every, **way}
        for every in (
            {"every": "month"},
            {"every": "quarter", "month": 3},
            {"every": "year", "month": 3},
        )
        for way in (
            {"day": 31},
            {"day": "last"},
            {"weekday": "sun", "nth": -1},
            {"weekday": "sun", "nth": 2},
            {"working_day": 1},
            {"working_day": -1},
        )
    ),
]


def some(all_of_them: list[Any], count: int) -> list[Any]:
    return all_of_them if ALL else Random(20261128).sample(all_of_them, count)


def zones() -> list[Any]:
    """One name of each zone: the other ones are links to the same file."""
    of = {_file(name): name for name in sorted(timezones.names(), reverse=True)}
    assert len(of) > 300
    chosen = {*some(sorted(of.values()), 6), *ODD}
    # One process does all about a zone, and reads its clocks once.
    return [pytest.param(zone, marks=pytest.mark.xdist_group(zone)) for zone in sorted(chosen)]


def _file(zone: str) -> bytes:
    packaged = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/"))
    files = (*(Path(folder, zone) for folder in zoneinfo.TZPATH), packaged)
    return next(file for file in files if file.is_file()).read_bytes()


@cache
def walked() -> list[Day]:
    return [*days(FIRST, LAST)]


def chained(rule: dict[str, Any]) -> Iterator[date]:
    """Each occurrence after the one before it, as the relay goes on from one to the next."""
    parsed, day = STORED.validate_python(rule), FIRST - ONE_DAY
    while (found := next(dates(parsed, day, LAST), None)) is not None:
        assert found > day
        yield found
        day = found


@pytest.mark.parametrize("every", ["week", "month", "quarter", "year"])
def test_occurrences_are_the_days_that_a_rule_has(every: str) -> None:
    of_all = [rule for rule in rules() if rule["every"] == every]
    for rule in [*some(of_all, 7), *(rule for rule in KINDS if rule["every"] == every)]:
        expected = [day.date for day in walked() if has(rule, day)]
        assert [*chained(rule)] == expected, rule


@lru_cache(maxsize=20)
def clocks_of(zone: str) -> Clocks:
    return Clocks(zone, FIRST, LAST)


@cache
def of_each_kind() -> list[list[date]]:
    return [[*chained(rule)] for rule in KINDS]


@pytest.mark.parametrize("zone", zones())
def test_instants_are_those_that_the_clocks_of_a_zone_show(zone: str) -> None:
    clocks, random = clocks_of(zone), Random(zone)
    for day in walked():
        _compare(clocks, zone, day.date, random.randrange(24 * 60))
    # Around each change of the clocks, every few minutes of three days, and the edges themselves.
    for day, minutes in _edges(clocks).items():
        for minute in {*range(0, 24 * 60, 20), *minutes}:
            _compare(clocks, zone, day, minute)


@pytest.mark.parametrize("zone", zones())
def test_no_occurrence_is_missing_and_none_is_there_twice(zone: str) -> None:
    clocks = clocks_of(zone)
    edges = _minutes(clocks)
    for minute in {9 * 60, *edges[:1], *edges[-1:]}:
        for found in of_each_kind():
            instants = [_compare(clocks, zone, day, minute) for day in found]
            assert all(one < after for one, after in pairwise(instants))


@pytest.mark.parametrize("zone", zones())
def test_the_next_occurrence_after_any_instant(zone: str) -> None:
    clocks, random = clocks_of(zone), Random(zone)
    for rule, found in zip(KINDS, of_each_kind(), strict=True):
        # Late in the day, the date of the zone may not be that of UTC.
        at = time(*divmod(random.choice([random.choice([*_minutes(clocks), 30]), 23 * 60]), 60))
        timing = Timing(STORED.validate_python(rule), at, zone, FIRST, LAST)
        instants = [clocks.first_showing(seconds(day, at.hour * 60 + at.minute)) for day in found]
        # The occurrence itself, the second before it, and any time between two.
        for number in random.sample(range(1, len(found)), 4):
            due, before = instants[number], instants[number - 1]
            for now in (before, random.randrange(before, due), due - 1):
                expected = (found[number], EPOCH + timedelta(seconds=due))
                assert next(timing.ahead(EPOCH + timedelta(seconds=now))) == expected


def _minutes(clocks: Clocks) -> list[int]:
    return [minute for minutes in _edges(clocks).values() for minute in minutes]


def _edges(clocks: Clocks) -> dict[date, set[int]]:
    """The days around each change of the clocks, and the minutes of the day around its edges."""
    found = defaultdict[date, set[int]](set)
    for before, after in pairwise(clocks.spans):
        for edge in (before.end + before.ahead, after.start + after.ahead):
            day, minute = EPOCH.date() + ONE_DAY * (edge // DAY), edge % DAY // 60
            for near in (day - ONE_DAY, day, day + ONE_DAY):
                if FIRST <= near <= LAST:
                    found[near] |= {max(minute - 1, 0), minute, min(minute + 1, 24 * 60 - 1)}
    return found


def _compare(clocks: Clocks, zone: str, day: date, minute: int) -> int:
    found = instant(day, time(*divmod(minute, 60)), zone)
    expected = clocks.first_showing(seconds(day, minute))
    assert (found - EPOCH).total_seconds() == expected, (zone, day, minute, found)
    return expected
