import base64
import struct
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from shared.db import postgres
from tests.services.api.api_client import Api
from tests.services.api.ledgers import new_key

LIST = "/api/v3/suppressions"


async def add(api: Api, email: str, reason: str = "asked for") -> Any:
    answer = await api.post(LIST, json={"email": email, "reason": reason})
    assert answer.status == 201, answer.text
    return answer.json


async def lift(api: Api, email: str) -> int:
    answer = await api.ask("DELETE", f"{LIST}/{quote(email, safe='')}")
    assert answer.text == "" or answer.status != 204
    return answer.status


async def emails(api: Api, query: str = "") -> list[str]:
    answer = await api.get(f"{LIST}{query}")
    assert answer.status == 200, answer.text
    return [each["email"] for each in answer.json["data"]]


async def test_an_address_is_added_shown_and_lifted(api: Api) -> None:
    added = await add(api, "Ann@X.example", "she rang us")
    assert added.keys() == {"email", "reason", "reason_code", "created_at"}
    assert (added["email"], added["reason"]) == ("ann@x.example", "she rang us")
    assert added["reason_code"] == "suppressed_by_business"
    assert added["created_at"].endswith("Z")
    shown = await api.get(LIST)
    assert shown.json == {"data": [added], "next_cursor": None}
    assert await lift(api, "ANN@x.example") == 204
    assert await lift(api, "ann@x.example") == 404
    assert await emails(api) == []


async def test_what_is_listed_already_keeps_its_reason(api: Api) -> None:
    first = await add(api, "ann@x.example", "first")
    again = await api.post(LIST, json={"email": "ANN@X.example", "reason": "second"})
    assert (again.status, again.json) == (200, first)
    bare = await api.post(LIST, json={"email": "ben@x.example"})
    assert bare.json["reason"] == "added by hand"


async def test_who_lifted_an_entry_and_why_is_kept(api: Api, golden: str) -> None:
    await add(api, "ann@x.example", "she rang us")
    answer = await api.ask("DELETE", f"{LIST}/ann@x.example?why=she%0Arang%20again")
    assert answer.status == 204
    conn = await asyncpg.connect(golden)
    [row] = await conn.fetch("SELECT * FROM lifted_suppressions")
    keys = await conn.fetch("SELECT id FROM api_keys")
    await conn.close()
    assert (row["business_id"], row["email_key"]) == (1, "ann@x.example")
    assert (row["reason"], row["why"]) == ("she rang us", "she rang again")
    assert row["lifted_by"] in {f"key {key['id']}" for key in keys}
    refused = await api.ask("DELETE", f"{LIST}/ann@x.example?why={'x' * 501}")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "why")


@pytest.mark.parametrize(
    "email", ["Ann@x.example", "jörg@BÜCHER.example", "\u0130" * 32 + "@x.example"]
)
async def test_an_entry_is_lifted_as_the_list_shows_it(api: Api, email: str) -> None:
    await add(api, email)
    [shown] = await emails(api)
    assert await lift(api, shown) == 204


@pytest.mark.parametrize(
    "email", ["a/b@x.example", "a%2Fb@x.example", "Ɛsi@exämple.com", "a+b@x.fr"]
)
async def test_any_address_can_be_lifted_in_any_spelling(api: Api, email: str) -> None:
    await add(api, email)
    assert await lift(api, email.upper()) == 204
    assert await emails(api) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "call me"}, "email"),
        ({"email": "a@x.com\nb@x.com"}, "email"),
        ({"email": "a@x.com\0"}, "email"),
        ({"email": 5}, "email"),
        ({"email": None}, "email"),
        ({"email": "a@x.com", "reason": "x" * 501}, "reason"),
        ({"email": "a@x.com", "why": "x"}, "why"),
    ],
)
async def test_what_cannot_be_added_names_its_field(api: Api, body: Any, field: str) -> None:
    assert (await api.post(LIST, json=body)).fields == [field]


@pytest.mark.parametrize("email", ["call me", "a@x.com,b@x.com", "%00", "a" * 500])
async def test_what_is_no_address_is_not_there(api: Api, email: str) -> None:
    assert await lift(api, email) == 404


async def test_pages_go_back_in_time_and_stay_in_place(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    # Three that came at one time, as from one batch, among others.
    await conn.execute(
        "INSERT INTO suppressions"
        " SELECT 1, 'a' || n || '@x.com', 'r', now() - least(n, 5) * interval '1 s'"
        " FROM generate_series(1, 7) n"
    )
    await conn.close()
    expected = ["a1", "a2", "a3", "a4", "a7", "a6", "a5"]
    found: list[str] = []
    query = "?limit=2"
    while True:
        answer = await api.get(f"{LIST}{query}")
        found += [each["email"].removesuffix("@x.com") for each in answer.json["data"]]
        if len(found) == 2:
            await add(api, "later@x.com")
        if answer.json["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={quote(answer.json['next_cursor'])}"
    assert found == expected


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(struct.pack(">q", 2**63 - 1)).decode(), "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(bytes(8) + b"\xff").decode(), "cursor"),
    ],
)
async def test_a_wrong_page_names_its_field(api: Api, query: str, field: str) -> None:
    assert (await api.get(f"{LIST}?{query}")).fields == [field]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("two\nlines", "two lines"), (" ", "added by hand"), ("", "added by hand")],
)
async def test_a_reason_becomes_one_line(api: Api, given: str, kept: str) -> None:
    assert (await add(api, "ann@x.example", given))["reason"] == kept


async def test_a_cursor_with_a_nul_finds_a_place(api: Api) -> None:
    cursor = base64.urlsafe_b64encode(bytes(8) + b"a\0@x.com").decode()
    assert await emails(api, f"?cursor={quote(cursor)}") == []


async def test_a_list_belongs_to_one_business(api: Api, golden: str) -> None:
    await add(api, "ann@x.example")
    other = await new_key(golden, 2)
    assert (await api.get(LIST, key=other)).json["data"] == []
    foreign = await api.ask("DELETE", f"{LIST}/ann@x.example", key=other)
    missing = await api.ask("DELETE", f"{LIST}/ben@x.example", key=other)
    assert foreign.status == missing.status == 404
    assert await emails(api) == ["ann@x.example"]


async def test_who_is_listed_is_skipped_until_lifted(api: Api) -> None:
    await add(api, "ESI@customers.example.com", "she rang us")
    path = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
    body = {"other_emails": "b@x.com"}
    skipped = (await api.post(path, json=body)).json["skipped"]
    assert skipped == [
        {
            "email": "esi@customers.example.com",
            "reason": "suppressed: she rang us",
            "reason_code": "suppressed_by_business",
        }
    ]
    assert await lift(api, "esi@customers.example.com") == 204
    assert (await api.post(path, json=body)).json["skipped"] == []


async def test_the_list_is_read_along_its_index(golden: str) -> None:
    from services.api.suppressions.store import _queries  # noqa: PLC0415 -- what is planned is what runs

    conn: postgres.Connection = await asyncpg.connect(golden)
    await conn.execute(
        "INSERT INTO suppressions SELECT b, 'a' || n || '@x.com', 'r', now() - n * interval '1 s'"
        " FROM generate_series(1, 20) b, generate_series(1, 1000) n; ANALYZE suppressions"
    )
    plan = await conn.fetch(f"EXPLAIN {_queries.page}", 7, None, None, 51)
    text = "\n".join(row[0] for row in plan)
    assert "suppressions_newest" in text, text
    assert "Sort" not in text, text
    await conn.close()
