"""Answers that differ have different entity tags; what a caller has already is not sent again."""

import re
from datetime import UTC, datetime

import asyncpg
import pytest

from services.api.http import periods
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.conftest import Serve
from tests.services.api.ledgers import new_key

GENERATED = re.compile(r'"generated_at":"[^"]*"')
ONE = f"{REPORTS}/client/4/{NOVEMBER}"
QUERIES = (
    "", "meta=1", "amounts=string", "sort=id", "basis=cash", "min_balance=0", "max_balance=0",
    "active=1", "archived=0", "q=a", "id=4", "category_id=1", "compare=previous-period",
    "compare=previous-year", "per_page=2", "per_page=2&page=2", "format=csv", "format=csv&bom=1",
    "format=ndjson",
)  # fmt: skip
VIEWS = (
    f"{REPORTS}/{NOVEMBER}/summary",
    f"{REPORTS}/{NOVEMBER}/summary?by=owing",
    f"{REPORTS}/{NOVEMBER}/summary?limit=2",
    f"{REPORTS}/{NOVEMBER}/summary?min_balance=0",
    f"{REPORTS}/{NOVEMBER}/series?interval=month",
    f"{REPORTS}/{NOVEMBER}/series?interval=week",
    f"{REPORTS}/{NOVEMBER}/series?interval=week&basis=cash",
    f"{REPORTS}/{NOVEMBER}/series?interval=week&id=4",
    f"{REPORTS}/aging",
    f"{REPORTS}/aging?as_of=2024-11-30",
    f"{REPORTS}/aging?as_of=2024-11-30&buckets=15,45",
    f"{REPORTS}/aging?as_of=2024-11-30&sort=id",
    f"{ONE}/transactions",
    f"{ONE}/transactions?per_page=2",
    f"{ONE}/explain/owing",
    f"{ONE}/explain/total_paid",
    f"{ONE}/explain/total_paid?basis=cash",
)
ANSWERS = (
    *(f"{REPORTS}/{NOVEMBER}?{query}" for query in QUERIES),
    f"{REPORTS}/2024-11-01/2024-11-29?sort=id",
    *VIEWS,
)


async def tags(api: Api) -> dict[str, str]:
    """The tag of each answer, sent and asked for again."""
    found = {}
    for path in ANSWERS:
        answer = await api.get(path)
        assert answer.status == 200, answer.text
        tag = answer.headers["ETag"]
        vary = {each.strip().lower() for each in answer.headers["Vary"].split(",")}
        assert {"accept", "accept-encoding", "authorization", "cookie"} <= vary, path
        again = await api.get(path, headers={"If-None-Match": tag})
        assert (again.status, again.text) == (304, ""), path
        found[path] = tag
    return found


async def test_each_answer_has_a_tag_of_its_own(api: Api, golden: str) -> None:
    before = await tags(api)
    assert len(set(before.values())) == len(ANSWERS)
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE payments SET amount = amount + 1 WHERE business_id = 1 AND id = 1")
    await conn.close()
    after = await tags(api)
    assert not {*before.values()} & {*after.values()}


@pytest.mark.parametrize("view", ["", "/summary", "/series?interval=month"])
async def test_the_tag_of_a_word_changes_with_its_days(
    view: str, reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for day in (30, 1):

        class Clock(datetime):
            @classmethod
            def now(cls, tz: object = None, day: int = day) -> datetime:
                return datetime(2024, 11 if day == 30 else 12, day, 12, tzinfo=UTC)

        monkeypatch.setattr(periods, "datetime", Clock)
        answer = await reader.get(f"{REPORTS}/this-month{view}")
        assert answer.status == 200, answer.text
        location = answer.headers["Content-Location"]
        assert (await reader.get(location)).text == answer.text or "meta" in answer.text
        found.append((answer.headers["ETag"], location))
    (first, november), (second, december) = found
    assert first != second
    assert "2024-11-01/2024-11-30" in november
    assert "2024-12-01/2024-12-31" in december


@pytest.mark.parametrize("path", [f"{REPORTS}/{NOVEMBER}", f"{ONE}/transactions"])
async def test_a_page_has_no_tag(path: str, reader: Api) -> None:
    answer = await reader.get(f"{path}?format=html")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "ETag" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]


async def test_what_is_remembered_belongs_to_one_business(
    golden: str, api: Api, serve: Serve
) -> None:
    """Customer 4 exists in both businesses of the golden ledger."""
    other = await new_key(golden, 2)
    fresh = await serve(golden)
    for path in ANSWERS:
        for _ in range(2):
            await api.get(path)
            shown = await api.get(path, key=other)
            expected = await fresh.get(path, key=other)
            assert GENERATED.sub("", shown.text) == GENERATED.sub("", expected.text), path
            assert shown.headers["ETag"] == expected.headers["ETag"], path


@pytest.mark.parametrize(
    "change", ["currency = 'CHF'", "timezone = 'Asia/Tokyo'", "name = 'Kente'"]
)
async def test_a_change_of_the_business_ends_its_tags(
    change: str, golden: str, api: Api, serve: Serve
) -> None:
    """The business's currency and timezone are in `meta`, and its name is in names of files."""
    paths = [
        f"{REPORTS}/{NOVEMBER}?{query}" for query in ("meta=1", "meta=1&per_page=2", "format=csv")
    ]
    paths += [*VIEWS, f"{REPORTS}/{NOVEMBER}/series?interval=month&format=csv"]
    before = {path: (await api.get(path)).headers["ETag"] for path in paths}
    conn = await asyncpg.connect(golden)
    await conn.execute(f"UPDATE businesses SET {change} WHERE id = 1")
    await conn.close()
    fresh = await serve(golden)
    for path, tag in before.items():
        shown = await api.get(path, headers={"If-None-Match": tag})
        expected = await fresh.get(path, key=api.key)
        assert (shown.status, expected.status) == (200, 200), path
        assert GENERATED.sub("", shown.text) == GENERATED.sub("", expected.text), path
        for name in ("ETag", "Content-Disposition"):
            assert shown.headers.get(name) == expected.headers.get(name), path
