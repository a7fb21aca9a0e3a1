import datetime as dt

import pytest

from shared.statement.wording import line, lines, local, period, slug


@pytest.mark.parametrize(
    ("since", "until", "shown"),
    [
        ("2024-11-05", "2024-11-05", "5 November 2024"),
        ("2024-11-01", "2024-11-30", "1–30 November 2024"),
        ("2024-10-28", "2024-11-03", "28 October – 3 November 2024"),
        ("2023-12-15", "2024-01-14", "15 December 2023 – 14 January 2024"),
        ("2023-11-01", "2024-11-30", "1 November 2023 – 30 November 2024"),
    ],
)
def test_a_period_says_nothing_twice(since: str, until: str, shown: str) -> None:
    assert period(dt.date.fromisoformat(since), dt.date.fromisoformat(until)) == shown


def test_a_line_is_one_line_whatever_was_in_the_name() -> None:
    assert line("A\r\nBcc: b@c\0\x1b\u2028d\u2029e\x85f") == "A Bcc: b@c d e f"
    assert line("lone \ud800 half") == "lone half"
    assert line("\u202eevil\u2066\u200f \ufeff") == "evil"
    assert line(None) == line("\u202e \t") == ""
    assert line("x" * 500, limit=10) == "x" * 9 + "…"


def test_the_lines_of_a_message_are_kept() -> None:
    assert lines("\n a\r\n\r\nb\rc\u2028d\x00e\n\n") == [" a", "", "b", "c", "d e"]
    assert lines(None) == lines(" \n\t\r\n") == []


def test_a_moment_is_told_by_the_clock_of_the_business() -> None:
    moment = dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC)
    assert local(moment, "Asia/Tokyo").date() == dt.date(2026, 11, 23)
    for unknown in ("Mars/Base", "../../etc/passwd", "/etc/passwd", "", "a\0b"):
        assert local(moment, unknown).tzname() == "UTC"


def test_a_file_name_is_plain_ascii() -> None:
    assert slug("Kente & Co") == "kente-co"
    assert slug("../../Ɛsi\r\n布") == "si"
    assert slug("布") == ""
    assert len(slug("x" * 300)) == 40
