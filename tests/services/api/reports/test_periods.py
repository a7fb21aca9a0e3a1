"""Reports over a period in one word: the same answers as with its dates, which they tell."""

from datetime import datetime
from unittest.mock import Mock

import asyncpg
import pytest

from services.api.http import periods
from tests.services.api.api_client import REPORTS, Api

WORD, DATES = "2024-11", "2024-11-01/2024-11-30"


def at(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Let every request be read at this instant."""

    clock = Mock(now=lambda zone: datetime.fromisoformat(moment).astimezone(zone))
    monkeypatch.setattr(periods, "datetime", clock)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/client/4"), ("HEAD", ""), ("POST", "/client/4")]
)
async def test_a_word_gets_the_answer_of_its_dates_and_their_path(
    reader: Api, method: str, path: str
) -> None:
    by_word = await reader.ask(method, f"{REPORTS}{path}/{WORD}")
    by_dates = await reader.ask(method, f"{REPORTS}{path}/{DATES}")
    assert by_word.status == by_dates.status == 200
    assert by_word.headers["Content-Location"] == f"{REPORTS}{path}/{DATES}"
    assert "Content-Location" not in by_dates.headers
    assert by_word.text == by_dates.text


async def test_the_path_keeps_what_the_caller_wrote_around_the_word(reader: Api) -> None:
    path = f"{REPORTS}/client/0004/2024%2D11"
    answer = await reader.get(path)
    assert answer.headers["Content-Location"] == f"{REPORTS}/client/0004/{DATES}"


async def test_the_body_of_a_filter_may_repeat_the_days_of_the_word(reader: Api) -> None:
    path = f"{REPORTS}/client/4/{WORD}"
    right = {"id": 4, "from": "2024-11-01", "to": "2024-11-30"}
    assert (await reader.post(path, json=right)).status == 200
    assert (await reader.post(path, json={**right, "to": "2024-11-29"})).fields == ["to"]


@pytest.mark.parametrize(
    "word", ["tomorrow", "2025-W53", "year-9999", "client", "a" * 5000, "x%00"]
)
async def test_what_is_no_period_is_refused_with_examples(reader: Api, word: str) -> None:
    for path in (f"{REPORTS}/{word}", f"{REPORTS}/client/4/{word}"):
        answer = await reader.get(path)
        assert answer.fields == ["period"]
        assert "this-month, last-quarter, ytd" in answer.text
        assert "Content-Location" not in answer.headers
        assert len(answer.text) < len(path) + 1000


async def test_a_word_is_no_query_parameter_of_a_path_with_a_period(reader: Api) -> None:
    for path in (WORD, DATES):
        assert (await reader.get(f"{REPORTS}/{path}?period={WORD}")).fields == ["period"]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Kiritimati", "2026-03-30"),
        ("Europe/London", "2026-03-29"),  # where summer time began on this day
        ("Africa/Accra", "2026-03-29"),
        ("America/New_York", "2026-03-29"),
        ("Etc/GMT+12", "2026-03-29"),
    ],
)
async def test_today_is_the_day_of_the_business(
    api: Api, golden: str, monkeypatch: pytest.MonkeyPatch, zone: str, day: str
) -> None:
    await execute(golden, "UPDATE businesses SET timezone = $1", zone)
    at(monkeypatch, "2026-03-29T22:30:00+00:00")  # 23:30 in London
    answer = await api.get(f"{REPORTS}/today")
    assert answer.headers["Content-Location"] == f"{REPORTS}/{day}/{day}"


async def test_fiscal_years_are_those_of_the_business(
    api: Api, golden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "2026-11-28T12:00:00+00:00")
    path = f"{REPORTS}/client/4/fy"
    before = await api.get(path)
    assert before.headers["Content-Location"] == f"{REPORTS}/client/4/2026-01-01/2026-12-31"
    await execute(golden, "UPDATE businesses SET fiscal_year_start = $1", "12-15")
    after = await api.get(path)
    assert after.headers["Content-Location"] == f"{REPORTS}/client/4/2025-12-15/2026-12-14"


async def test_the_same_word_has_another_tag_on_another_day(
    reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "2026-11-28T12:00:00+00:00")
    first = await reader.get(f"{REPORTS}/ytd")
    same = {"If-None-Match": first.headers["ETag"]}
    unchanged = await reader.get(f"{REPORTS}/ytd", headers=same)
    assert (unchanged.status, unchanged.text) == (304, "")
    assert unchanged.headers["Content-Location"] == f"{REPORTS}/2026-01-01/2026-11-28"
    at(monkeypatch, "2026-11-29T12:00:00+00:00")
    tomorrow = await reader.get(f"{REPORTS}/ytd", headers=same)
    assert tomorrow.status == 200
    assert tomorrow.headers["ETag"] != first.headers["ETag"]


async def test_a_business_in_no_known_zone_is_told_so(
    api: Api, golden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await execute(golden, "ALTER TABLE businesses DROP CONSTRAINT businesses_timezone_is_iana")
    for zone in ("Nowhere/Else", "../etc/passwd", ""):
        await execute(golden, "UPDATE businesses SET timezone = $1", zone)
        answer = await api.get(f"{REPORTS}/today")
        assert answer.fields == ["period"]
        assert "the business's timezone is unknown" in answer.text


async def execute(dsn: str, query: str, *arguments: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(query, *arguments)
    await conn.close()
