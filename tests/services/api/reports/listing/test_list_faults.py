"""What the list refuses, and what no caller can do with its parameters."""

import base64

import pytest

from services.api.core import bound_cursor
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.reports.listing.walks import links

LIST = f"{REPORTS}/{NOVEMBER}"


async def next_of(api: Api, options: str, key: str | None = None, period: str = NOVEMBER) -> str:
    answer = await api.get(f"{REPORTS}/{period}?per_page=1&{options}", key=key or api.key)
    return links(answer)["next"].partition("cursor=")[2]


async def test_all_faults_are_named_at_once(reader: Api) -> None:
    answer = await reader.get(
        f"{REPORTS}/2024-02-30/x?sort=name&id=x&per_page=0&q={'x' * 201}&active=2&basis=modified"
    )
    assert set(answer.fields) == {
        "from", "to", "sort", "id", "per_page", "q", "active", "basis"
    }  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        "page=1&cursor=AAAAAAAAAAAAAAAAAAAAAAAA:page",
        "min_balance=2&max_balance=1:max_balance",
        "sort=id&sort=-id:sort",
        "format=yaml:format",
        "cursor=AAAAAAAAAAAAAAAAAAAAAAAA:cursor",
        "unknown=1:unknown",
    ],
)
async def test_what_cannot_be_is_refused(reader: Api, fields: str) -> None:
    query, field = fields.split(":")
    assert (await reader.get(f"{LIST}?{query}")).fields == [field]


async def test_nothing_is_before_the_year_1(reader: Api) -> None:
    path = f"{REPORTS}/0001-01-01/0001-12-31"
    for compare in ("previous-period", "previous-year"):
        assert (await reader.get(f"{path}?compare={compare}")).fields == ["compare"]
    assert (
        await reader.get(f"{REPORTS}/9999-01-01/9999-12-31?compare=previous-year")
    ).status == 200


async def test_a_cursor_is_of_one_list(reader: Api, other_key: str) -> None:
    cursor = await next_of(reader, "sort=-balance&archived=0")
    own = f"{LIST}?sort=-balance&archived=0&cursor={cursor}"
    assert (await reader.get(own)).status == 200
    assert (await reader.get(f"{own}&per_page=3&amounts=string&format=csv")).status == 200
    others = (
        f"{LIST}?sort=balance&archived=0&cursor={cursor}",
        f"{LIST}?sort=-balance&cursor={cursor}",
        f"{LIST}?sort=-balance&archived=0&q=e&cursor={cursor}",
        f"{REPORTS}/2024-11-01/2024-11-29?sort=-balance&archived=0&cursor={cursor}",
    )
    for path in others:
        assert (await reader.get(path)).fields == ["cursor"]
    assert (await reader.get(own, key=other_key)).fields == ["cursor"]


def _forged(cursor: str, place: str) -> str:
    """A cursor of the same list with another place."""
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    made = raw[: bound_cursor._DIGEST_BYTES] + place.encode()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


@pytest.mark.parametrize("sort", ["balance", "-business_name", "created_at", "id"])
async def test_a_forged_cursor_does_no_harm(reader: Api, sort: str) -> None:
    cursor = await next_of(reader, f"sort={sort}")
    values = (
        '"1) OR (true"',
        '"\'; DROP TABLE customers; --"',
        '"\\u0000"',
        '"\\ud800"',
        '"9e99"',
        '"NaN"',
        f'"{"9" * 900}"',
        '"2024-02-30 00:00:00"',
        "1.5",
        "[]",
        "null",
        '"7"',
    )
    places = [
        *(f'[{side},{value},3,0,""]' for value in values for side in (0, 1)),
        '[2,null,0,0,""]',
        '[3,null,0,0,""]',
        '[0,null,-1,0,""]',
        f'[0,null,{2**63},0,""]',
        f'[0,null,1,{2**31},""]',
        "[0]",
        "{}",
        "nonsense",
        "",
    ]
    for place in places:
        answer = await reader.get(f"{LIST}?per_page=1&sort={sort}&cursor={_forged(cursor, place)}")
        assert answer.status in {200, 422}, (place, answer.text)
        if answer.status == 422:
            assert answer.fields == ["cursor"]


async def test_a_forged_number_stays_within_the_list(reader: Api) -> None:
    cursor = await next_of(reader, "sort=id")
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode(errors="replace")
    version = raw.rpartition(',"')[2].partition('"')[0]
    for side in (0, 1):
        place = f'[{side},"1",1,{2**31 - 1},"{version}"]'
        answer = await reader.get(f"{LIST}?per_page=1&sort=id&cursor={_forged(cursor, place)}")
        assert answer.status == 200
        assert len(answer.json) <= 1


@pytest.mark.parametrize(
    "text", ["'", "''", "\\", "\\'", "%", "_", "$1", "{business}", "'; --", "é", "\n", "💥"]
)
async def test_a_search_is_only_text(reader: Api, text: str) -> None:
    answer = await reader.get(LIST, params={"q": text})
    assert answer.status == 200
    assert answer.json == []


async def test_a_search_finds_part_of_each_text_in_either_case(reader: Api) -> None:
    rows = (await reader.get(LIST)).json
    for text in ("ƐSI", "ɔfori", "ENTERPRISE", "@customers", "amin"):
        found = (await reader.get(LIST, params={"q": text})).json
        assert [row["id"] for row in found] == [
            row["id"]
            for row in rows
            if any(
                text.lower() in (row[field] or "").lower()
                for field in ("business_name", "first_name", "last_name", "business_email")
            )
        ]
        assert found
