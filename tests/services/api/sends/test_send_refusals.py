from typing import Any

import asyncpg
import pytest

from tests.services.api.sends.calls import PATHS, PERIOD, Client, post, refused


async def test_a_bad_idempotency_key_is_refused(api: Client) -> None:
    for text in ("a b", "x" * 256, "ä"):
        assert await refused(api, headers={"Idempotency-Key": text}) == {"Idempotency-Key"}


async def test_nul_is_refused_wherever_it_stands(api: Client) -> None:
    assert await refused(api, json={"message": "a\0"}) == {"message"}
    assert await refused(api, json={"other_emails": ["a\0@x.com"]}) == {"other_emails"}
    assert await refused(api, json={"send_tome": "1\0"}) == {"send_tome"}
    assert await refused(api, json={"a\0": 1}) == {"a\0"}
    assert await refused(api, data={"message": "a\0"}) == {"message"}
    assert await refused(api, params={**PERIOD, "from": "2024-11-01\0"}) == {"from"}


@pytest.mark.parametrize("value", [1, "\0", [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]])
async def test_of_an_endless_name_only_the_beginning_is_repeated(api: Client, value: Any) -> None:
    assert await refused(api, json={"x" * 500_000: value}) == {"x" * 200 + "…"}


@pytest.mark.parametrize(
    "body",
    [
        rb'{"message": "\ud800"}',
        rb'{"other_emails": ["\udfff@x.com"]}',
        b'{"message": "a\0b"}',
        b'{"message": NaN}',
        b'{"message": "\xff"}',
        b'{"send_tome": 1' + b"0" * 5000 + b"}",
        b"[" * 5000,
        b"[]",
        b"7",
    ],
    ids=ascii,
)
async def test_no_body_is_a_fault_of_the_server(
    api: Client, ledger: asyncpg.Connection, body: bytes
) -> None:
    response, problem = await post(api, data=body, headers={"Content-Type": "application/json"})
    assert response.status in (400, 422), problem
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 0


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"message": 1}, {"message"}),
        ({"other_emails": [["a@x.com"]]}, {"other_emails"}),
        ({"other_emails": [f"a{n}@x.com" for n in range(10_000)]}, {"other_emails"}),
        ({"other_emails": [f"a{n}@x.com" for n in range(25)]}, {"other_emails"}),
        ({"other_emails": "Ada <a@x.com>", "copy_to_me": 2}, {"other_emails", "copy_to_me"}),
        ({"send_tome": 2**63}, {"send_tome"}),
        ({"send_tome": 1.0}, {"send_tome"}),
        ({"send_tome": "2024-11-30T09:00"}, {"send_tome"}),
        ({"send_tome": "2030-01-01", "send_at": "2030-01-02"}, {"send_at"}),
        ({"send_tome": 1, "copy_to_me": 0}, {"copy_to_me"}),
        ({"unknown": 1}, {"unknown"}),
    ],
    ids=lambda value: ascii(sorted(value) if isinstance(value, set) else value)[:40],
)
async def test_what_is_wrong_is_named(api: Client, body: object, fields: set[str]) -> None:
    assert await refused(api, json=body) == fields


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({}, {"from", "to"}),
        ({"from": "2024-11-01"}, {"to"}),
        ({"from": "2024-02-30", "to": "2024-11-31"}, {"from", "to"}),
        ({"from": "2024-12-01", "to": "2024-11-30"}, {"from"}),
        ([("from", "2024-11-01"), ("from", "2024-11-02"), ("to", "2024-11-30")], {"from"}),
    ],
)
async def test_the_period_is_needed_and_has_to_exist(
    api: Client, params: Any, fields: set[str]
) -> None:
    assert await refused(api, params=params) == fields


async def test_a_date_that_is_missing_is_said_to_be_missing(api: Client) -> None:
    _, problem = await post(api, params={"from": "2024-11-01"})
    assert problem["detail"] == "to: is missing; it should be a date written YYYY-MM-DD"


async def test_nobody_left_and_too_many_say_so(api: Client) -> None:
    _, problem = await post(api, customer=5)
    assert problem["status"] == 422
    assert "no recipient" in problem["detail"]
    _, problem = await post(api, json={"other_emails": [f"a{n}@x.com" for n in range(25)]})
    assert problem["status"] == 422
    assert "26 recipients, the limit is 25" in problem["detail"]


@pytest.mark.parametrize("customer", [9, 99, "0", 2**63, "9" * 5000, "x", "-1", "4.0", "%31x"])
async def test_an_unknown_customer_is_not_found(api: Client, customer: object) -> None:
    for path in PATHS:
        async with api.post(path.format(customer), params=PERIOD) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "x"),
        ("limit", "٣"),
        ("limit", "1" * 5000),
        ("limit", ""),
        ("status", "done"),
        ("customer_id", "-1"),
        ("customer_id", str(2**63)),
        ("cursor", "x"),
        ("cursor", ""),
        ("cursor", "\0"),
        ("cursor", "A" * 31),
        ("cursor", "A" * 36),
        ("cursor", "f" * 32),
        ("cursor", "ä" * 32),
    ],
)
async def test_a_history_of_what_does_not_exist_is_refused(
    api: Client, field: str, value: str
) -> None:
    async with api.get("/api/v3/sends", params={field: value}) as response:
        assert response.status == 422
        assert [each["field"] for each in (await response.json())["errors"]] == [field]
