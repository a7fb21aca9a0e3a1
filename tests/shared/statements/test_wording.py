import datetime as dt

import pytest

from shared.period import Period
from shared.statements.wording import clock, initial, line, local, period, slug


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2024-11-05", "2024-11-05", "5 November 2024"),
        ("2024-11-01", "2024-11-30", "1–30 November 2024"),
        ("2024-10-28", "2024-11-03", "28 October – 3 November 2024"),
        ("2023-12-15", "2024-01-14", "15 December 2023 – 14 January 2024"),
        ("2023-11-01", "2024-11-30", "1 November 2023 – 30 November 2024"),
    ],
)
def test_a_period_says_nothing_twice(start: str, end: str, shown: str) -> None:
    assert period(Period(dt.date.fromisoformat(start), dt.date.fromisoformat(end))) == shown


def test_a_line_is_one_line_whatever_was_in_the_name() -> None:
    assert line("A\r\nBcc: b@c\0\x1b\u2028d\u2029e\x85f") == "A Bcc: b@c d e f"
    assert line("lone \ud800 half") == "lone half"
    assert line("\u202eevil\u2066\u200f \ufeff") == "evil"
    assert line(None) == line("\u202e \t") == ""
    assert line("x" * 500, limit=10) == "x" * 9 + "…"


def test_a_moment_is_told_by_the_clock_of_the_business() -> None:
    moment = dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC)
    assert local(moment, "Asia/Tokyo").date() == dt.date(2026, 11, 23)
    for unknown in (
        "right/Europe/Berlin",
        "posix/Asia/Tokyo",
        "Factory",
        "localtime",
        "Mars/Base",
        "../../etc/passwd",
        "/etc/passwd",
        "",
        "a\0b",
    ):
        assert local(moment, unknown).tzname() == "UTC"


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Kente & Co", "kente-co"),
        ("../../Ɛsi\r\n布", "esi"),
        ("布", ""),
        ("Müller & Söhne GmbH", "muller-sohne-gmbh"),
        ("Inversiones Ñuñoa", "inversiones-nunoa"),
        ('"Łódź" Żółć', "lodz-zolc"),
        ("Straße Æther Øl Þór Đà Nẵng", "strasse-aether-ol-thor-da-na"),
        ("x" * 300, "x" * 28),
    ],
)
def test_a_name_in_a_files_name_is_ascii_and_readable(name: str, folded: str) -> None:
    assert slug(name) == folded


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("kente", "K"),
        ("(3 Sons)", "3"),
        ("საქართველოს ვაჭრობა", "ს"),
        ("เจริญ", "จ"),
        ("ແສງ", "ສ"),
        ("ǆ", "ǅ"),
        ("e\u0301clat", "É"),
        ("🎉🎉", "🎉"),
        ("---", "#"),
    ],
)
def test_a_tile_shows_a_letter_that_readers_have(name: str, letter: str) -> None:
    assert initial(name) == letter


@pytest.mark.parametrize(
    ("timezone", "shown"),
    [
        ("Africa/Accra", "16:00 (GMT)"),
        ("Europe/Berlin", "17:00 (CET)"),
        ("Europe/Istanbul", "19:00 (UTC+3)"),
        ("America/Sao_Paulo", "13:00 (UTC−3)"),
        ("Asia/Kolkata", "21:30 (UTC+5:30)"),
        ("Pacific/Pago_Pago", "05:00 (UTC−11)"),
        ("Asia/Shanghai", "00:00 (UTC+8)"),
        ("America/Chicago", "10:00 (UTC−6)"),
        ("Etc/UTC", "16:00 (UTC)"),
    ],
)
def test_a_zone_is_told_by_letters_only_if_they_mean_one_thing(timezone: str, shown: str) -> None:
    assert clock(local(dt.datetime(2026, 11, 22, 16, tzinfo=dt.UTC), timezone)) == shown
