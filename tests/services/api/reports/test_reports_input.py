import json
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.ledgers import new_key

ONE = f"{REPORTS}/client/4"


@pytest.mark.parametrize(
    ("period", "fields"),
    [
        ("2024-02-30/2024-03-01", ["from"]),
        ("2024-01-01/2023-02-29", ["to"]),
        ("2024-13-01/2024-00-10", ["from", "to"]),
        ("0000-01-01/2024-01-01", ["from"]),
        ("2024-11-02/2024-11-01", ["from"]),
        ("2024-1-1/2024-11-01", ["from"]),
        ("20240101/2024-11-01", ["from"]),
        ("2024-W01-1/2024-11-01", ["from"]),
        ("%D9%A2%D9%A0%D9%A2%D9%A4-11-01/2024-11-01", ["from"]),
        ("2024-11-01/2024-11-01T00:00:00Z", ["to"]),
        ("2024-11-01%0A/2024-11-01%00", ["from", "to"]),
        ("-2024-11-01/+2024-11-01", ["from", "to"]),
        ("today/tomorrow", ["from", "to"]),
        ("client/5", ["from", "to"]),
    ],
)
async def test_a_date_that_does_not_exist_is_named(
    reader: Api, period: str, fields: list[str]
) -> None:
    assert (await reader.get(f"{REPORTS}/{period}")).fields == fields
    if "/client" not in f"/{period}":
        assert (await reader.get(f"{ONE}/{period}")).fields == fields
        assert (await reader.post(f"{ONE}/{period}")).fields == fields


async def test_a_period_of_one_day_and_one_of_all_time_are_fine(reader: Api) -> None:
    assert (await reader.get(f"{REPORTS}/2024-02-29/2024-02-29")).status == 200
    assert (await reader.get(f"{REPORTS}/0001-01-01/9999-12-31")).status == 200


@pytest.mark.parametrize(
    "customer", ["99", "0", "9223372036854775807", "9223372036854775808", "9" * 4000]
)
async def test_an_unknown_customer_is_missing_however_large_its_id(
    reader: Api, customer: str
) -> None:
    answer = await reader.get(f"{REPORTS}/client/{customer}/{NOVEMBER}")
    assert answer.status == 404
    assert answer.json["type"] == "/problems/not-found"
    assert answer.json["detail"] == "There is no such customer."


async def test_another_business_s_customer_is_missing_like_any_other(
    reader: Api, other_key: str
) -> None:
    for path in (f"{REPORTS}/client/5/{NOVEMBER}", f"{REPORTS}/client/99/{NOVEMBER}"):
        foreign = await reader.get(path, key=other_key, headers={"X-Request-Id": "same"})
        assert foreign.status == 404
        assert foreign.json == {
            "type": "/problems/not-found",
            "title": "Not found",
            "status": 404,
            "detail": "There is no such customer.",
            "instance": path,
            "request_id": "same",
        }


async def test_the_same_id_is_another_customer_in_another_business(
    reader: Api, other_key: str
) -> None:
    path = f"{REPORTS}/client/4/{NOVEMBER}"
    mine = await reader.get(path)
    theirs = await reader.get(path, key=other_key)
    assert mine.json["business_name"] == "Ɛsi Ɔfori Enterprise, Ltd"
    assert theirs.json["business_name"] == "Amin"


@pytest.mark.parametrize("customer", ["abc", "-4", "4.0", "+4", "%D9%A4", "4%20", "0x4", "²"])
async def test_an_id_that_is_no_number_has_no_route(reader: Api, customer: str) -> None:
    answer = await reader.get(f"{REPORTS}/client/{customer}/{NOVEMBER}")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_leading_zeros_change_no_id(reader: Api) -> None:
    answer = await reader.get(f"{REPORTS}/client/{'0' * 30}4/{NOVEMBER}")
    assert answer.json["id"] == 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"json": {}},
        {"json": {"id": 4}},
        {"json": {"id": "4", "from": "2024-11-01", "to": "2024-11-30"}},
        {"json": {"id": None, "from": None, "to": None, "page": 7}},
        {"data": {"id": "4", "from": "2024-11-01"}},
        {"data": b"", "headers": {"Content-Type": "text/plain"}},
    ],
)
async def test_a_filter_that_agrees_with_the_path(reader: Api, body: dict[str, object]) -> None:
    answer = await reader.post(f"{ONE}/{NOVEMBER}", **body)
    one = await reader.get(f"{ONE}/{NOVEMBER}")
    assert answer.status == 200, answer.text
    assert answer.text == f"[{one.text}]"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"id": 5}, ["id"]),
        ({"id": "5", "from": "2024-11-02", "to": "2024-11-29"}, ["id", "from", "to"]),
        ({"id": True}, ["id"]),
        ({"id": 4.0}, ["id"]),
        ({"id": "four"}, ["id"]),
        ({"id": [4]}, ["id"]),
        ({"id": 10**30}, ["id"]),
        ({"id": "9" * 5000}, ["id"]),
        ({"from": "2024-11-31"}, ["from"]),
        ({"from": 20241101}, ["from"]),
        ({"to": {}}, ["to"]),
        ({"to": ""}, ["to"]),
    ],
)
async def test_a_filter_that_contradicts_the_path_is_named(
    reader: Api, body: dict[str, object], fields: list[str]
) -> None:
    answer = await reader.post(
        f"{ONE}/{NOVEMBER}",
        data=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert answer.fields == fields
    assert len(answer.text) < 1500


async def test_a_form_s_field_given_twice_is_no_id(reader: Api) -> None:
    answer = await reader.post(f"{ONE}/{NOVEMBER}", data=[("id", "4"), ("id", "4")])
    assert answer.fields == ["id"]


async def test_a_get_answers_head_without_a_body(reader: Api) -> None:
    for path in (f"{REPORTS}/{NOVEMBER}", f"{ONE}/{NOVEMBER}"):
        got, head = await reader.get(path), await reader.ask("HEAD", path)
        assert (head.status, head.text) == (200, "")
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert (await reader.ask("HEAD", f"{REPORTS}/client/99/{NOVEMBER}")).status == 404
    assert (await reader.ask("HEAD", f"{REPORTS}/2024-02-30/2024-03-01")).status == 422


async def test_a_business_without_customers_has_an_empty_report(
    database: str, serve: Callable[[str], Awaitable[Api]]
) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(
        "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
        " VALUES (3, 3, 'Empty', 'EUR', 'UTC')"
    )
    await conn.close()
    api = await serve(database)
    answer = await api.get(f"{REPORTS}/{NOVEMBER}", key=await new_key(database, 3))
    assert (answer.status, answer.text) == (200, "[]")
