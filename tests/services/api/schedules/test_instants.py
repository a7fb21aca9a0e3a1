"""The instants of wall times at changes of the clocks; test_calendar.py has all the others."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfoNotFoundError

import pytest

from services.api.schedules.instants import instant, known_timezone, wall_time

TABLE = (
    # Where, the wall time, and its instant.
    ("Europe/Paris", "2026-07-01 09:00", "2026-07-01 07:00"),
    ("Europe/Paris", "2026-12-01 09:00", "2026-12-01 08:00"),
    # Clocks go from 02:00 to 03:00, and from 03:00 to 02:00.
    ("Europe/Paris", "2027-03-28 01:59", "2027-03-28 00:59"),
    ("Europe/Paris", "2027-03-28 02:00", "2027-03-28 01:00"),
    ("Europe/Paris", "2027-03-28 02:30", "2027-03-28 01:00"),
    ("Europe/Paris", "2027-03-28 03:00", "2027-03-28 01:00"),
    ("Europe/Paris", "2027-10-31 02:30", "2027-10-31 00:30"),
    ("Europe/Paris", "2027-10-31 03:00", "2027-10-31 02:00"),
    # By half an hour only.
    ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30"),
    ("Australia/Lord_Howe", "2027-04-04 01:45", "2027-04-03 14:45"),
    # At midnight: the day begins at 01:00, or the day before has two of its last hours.
    ("America/Asuncion", "2023-10-01 00:30", "2023-10-01 04:00"),
    ("Asia/Beirut", "2027-03-28 00:00", "2027-03-27 22:00"),
    ("Asia/Beirut", "2027-10-30 23:30", "2027-10-30 20:30"),
    # Days that were left out.
    ("Pacific/Apia", "2011-12-29 23:59", "2011-12-30 09:59"),
    ("Pacific/Apia", "2011-12-30 09:00", "2011-12-30 10:00"),
    ("Pacific/Apia", "2011-12-31 00:00", "2011-12-30 10:00"),
    ("Pacific/Kwajalein", "1993-08-21 12:00", "1993-08-21 12:00"),
    ("Pacific/Kwajalein", "1993-08-22 12:00", "1993-08-22 00:00"),
    # The ends of the years that there may be.
    ("Pacific/Kiritimati", "0002-01-01 00:00", "0002-01-01 10:29:20"),
    ("Pacific/Niue", "9998-12-31 23:59", "9999-01-01 10:59"),
)


@pytest.mark.parametrize(("zone", "local", "expected"), TABLE)
def test_instant_of_a_wall_time(zone: str, local: str, expected: str) -> None:
    wanted = datetime.fromisoformat(local)
    found = instant(wanted.date(), wanted.time(), zone)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert found.tzinfo is UTC


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "a" * 5000, "europe/paris"])
def test_a_timezone_is_one_of_the_list(name: str) -> None:
    with pytest.raises(ValueError, match="should be a time zone like Africa/Accra"):
        known_timezone(name)
    assert known_timezone("Europe/Paris") == "Europe/Paris"


def test_a_timezone_that_is_gone() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        instant(date(2026, 1, 1), time(9), "Mars/Base")


def test_a_time_of_day_has_two_numbers() -> None:
    assert wall_time("00:00") == time(0)
    assert wall_time("23:59") == time(23, 59)
    for text in ("", "24:00", "9:00", "09:60", "09:00:00", "09:00Z", "0900", "٠٩:00", "09:00\n"):
        with pytest.raises(ValueError, match="written HH:MM"):
            wall_time(text)
