from typing import Any

import asyncpg
import pytest

from tests.services.api.api_client import Api

PATH = "/api/v3/customers"

LEDGER = """
INSERT INTO customers (business_id, id, owner_id, first_name, last_name, business_name,
                       business_email, archived) VALUES
    (1, 101, 1, 'Ama', 'Ɔfori', 'ZQ Kente_1', 'ama@zq.example', 0),
    (1, 102, 1, 'KOFI', NULL, 'ZQ 100%', NULL, 1),
    (1, 103, 1, NULL, 'zqkente', NULL, 'Kofi@zq.example', 0),
    (1, 104, 1, NULL, NULL, NULL, 'zqÉtoile@example.com', 0),
    (2, 105, 1, 'ZQ of another', NULL, NULL, NULL, 0);
UPDATE customers SET locale = 'fr-CA' WHERE business_id = 1 AND id = 101;
"""


@pytest.fixture
async def listing(api: Api, golden: str) -> Api:
    conn = await asyncpg.connect(golden)
    await conn.execute(LEDGER)
    await conn.close()
    return api


async def found(api: Api, **params: str) -> list[int]:
    answer = await api.get(PATH, params=params)
    assert answer.status == 200, answer.text
    return [each["id"] for each in answer.json["data"]]


async def test_a_customer_is_listed_with_its_names(listing: Api) -> None:
    answer = await listing.get(PATH, params={"q": "kente_1"})
    assert answer.json == {
        "data": [
            {
                "id": 101,
                "first_name": "Ama",
                "last_name": "Ɔfori",
                "business_name": "ZQ Kente_1",
                "business_email": "ama@zq.example",
                "category": "Uncategorised",
                "category_id": 1,
                "archived": 0,
                "locale": "fr-CA",
            }
        ],
        "next_cursor": None,
    }


async def test_names_are_those_of_the_report(reader: Api) -> None:
    listed = {each["id"]: each for each in (await reader.get(PATH)).json["data"]}
    rows = (await reader.get("/api/v3/reports/customers/2024")).json
    assert listed.keys() == {row["id"] for row in rows}
    for row in rows:
        customer = {name: value for name, value in listed[row["id"]].items() if name != "locale"}
        assert customer == {name: row[name] for name in customer}


async def test_another_language_changes_no_figure_of_the_report(api: Api, golden: str) -> None:
    path = "/api/v3/reports/customers/2024"
    before = await api.get(path)
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE customers SET locale = 'de'")
    await conn.close()
    # Its tag may be another one, as after every change of a customer.
    after = await api.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status == 304 or after.json == before.json
    assert {each["locale"] for each in (await api.get(PATH)).json["data"]} == {"de"}


@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("ZQ", [101, 102, 103, 104]),
        ("zq kente", [101]),
        ("KENTE_", [101]),
        ("kofi", [102, 103]),
        ("100%", [102]),
        ("%", [102]),
        ("ɔFORI", [101]),
        ("ÉTOILE", [104]),
        ("@ZQ.example", [101, 103]),
        ("zq of", []),
        ("Kente_1 Ama", []),  # the end of one name and the beginning of another
        ("\\", []),
        ("' OR true --", []),
    ],
)
async def test_a_part_of_a_name_or_address_finds_a_customer(
    listing: Api, q: str, ids: list[int]
) -> None:
    seen = await found(listing, q=q, limit="200")
    assert [each for each in seen if each > 100] == ids


async def test_archived_ones_can_be_left_out_or_asked_for(listing: Api) -> None:
    assert await found(listing, q="zq", archived="1") == [102]
    assert await found(listing, q="zq", archived="0") == [101, 103, 104]


@pytest.mark.parametrize("limit", range(1, 7))
async def test_pages_of_every_size_have_every_customer_once(listing: Api, limit: int) -> None:
    everybody = await found(listing, limit="200")
    assert everybody == sorted(everybody)
    seen: list[int] = []
    params = {"limit": str(limit)}
    while True:
        page = (await listing.get(PATH, params=params)).json
        seen += [each["id"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        assert len(page["data"]) == limit
        params["cursor"] = page["next_cursor"]
    assert seen == everybody


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"limit": "0"}, ["limit"]),
        ({"limit": "201"}, ["limit"]),
        ({"limit": "1e1", "archived": "2", "cursor": "x"}, ["archived", "limit", "cursor"]),
        ({"cursor": "A" * 32}, ["cursor"]),
        ({"q": "a" * 201}, ["q"]),
        ({"q": "a\0"}, ["q"]),
        ({"Q": "a"}, ["Q"]),
    ],
)
async def test_what_is_wrong_is_named(reader: Api, params: Any, fields: list[str]) -> None:
    assert (await reader.get(PATH, params=params)).fields == fields


async def test_an_empty_text_finds_everybody(reader: Api) -> None:
    assert await found(reader, q="") == await found(reader)
