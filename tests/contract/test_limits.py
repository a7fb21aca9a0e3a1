"""Every size and count that a caller controls: it works at the limit, and is refused beyond."""

import json
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from tests.contract.call import DATES, QUERY, REPORTS
from tests.contract.tenants import settings, settle
from tests.services.api.api_client import Answer, Api, serving

MIB = 1024 * 1024
FILTER = f"{REPORTS}/client/1/{DATES}"
SEND = f"/api/v3/clients/1/transactions/send?{urlencode(QUERY)}"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DEFLATED = {"Content-Encoding": "deflate"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}


@pytest.fixture
async def api(database: str) -> AsyncIterator[Api]:
    """A client of the API with the key of a business."""
    db = await asyncpg.connect(database)
    tenant = await settle(db, 1, "qzalpha")
    await db.close()
    async with serving(settings(database)) as api:
        api.key = tenant.key
        yield api


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def keys(count: int) -> bytes:
    return json.dumps({f"k{number}": 1 for number in range(count)}).encode()


def pairs(count: int) -> bytes:
    return urlencode([("k", "1")] * count).encode()


def parts(count: int, header: str = "") -> bytes:
    part = f'--B\r\n{header}Content-Disposition: form-data; name="k"\r\n\r\n1\r\n'
    return (part * count + "--B--\r\n").encode()


def spaces(length: int) -> bytes:
    return b"{}".rjust(length)


BODIES: list[tuple[str, dict[str, str], bytes, bytes, int, str]] = [
    ("body", JSON, spaces(MIB), spaces(MIB + 1), 413, "1048576"),
    ("deflated body", JSON | DEFLATED, zlib.compress(spaces(MIB)), zlib.compress(spaces(MIB + 1)),
     413, "1048576"),
    ("depth of JSON", JSON, nested(20), nested(21), 422, "20 levels"),
    ("depth of JSON at its worst", JSON, nested(1), nested(1000), 422, "20 levels"),
    ("depth of JSON beyond any", JSON, nested(1), nested(100_000), 400, "depth"),
    ("fields of JSON", JSON, keys(1000), keys(1001), 422, "1000 fields"),
    ("fields of a form", FORM, pairs(1000), pairs(1001), 400, "1000 fields"),
    ("parts of a form", MULTIPART, parts(1000), parts(1001), 413, "1000"),
    ("headers of a part", MULTIPART, parts(1, "X-A: b\r\n" * 60), parts(1, "X-A: b\r\n" * 600),
     400, "multipart"),
    ("a header of a part", MULTIPART, parts(1, f"X-A: {'b' * 4000}\r\n"),
     parts(1, f"X-A: {'b' * 9000}\r\n"), 400, "multipart"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "most", "more", "status", "says"), [each[1:] for each in BODIES],
    ids=[each[0] for each in BODIES],
)  # fmt: skip
async def test_bodies(
    api: Api, headers: dict[str, str], most: bytes, more: bytes, status: int, says: str
) -> None:
    kept = await api.post(FILTER, data=most, headers=headers)
    assert kept.status == 200, kept.text
    refused(await api.post(FILTER, data=more, headers=headers), status, says)


async def test_what_is_compressed_in_another_way_is_not_even_read(api: Api) -> None:
    for coding in ("gzip", "br", "zstd", "gzip, deflate"):
        answer = await api.post(FILTER, data=b"x", headers=JSON | {"Content-Encoding": coding})
        refused(answer, 415, "deflate")


def addresses(count: int, domain: str = "x.example") -> list[str]:
    return [f"a{number}@{domain}" for number in range(count)]


MARKS = "\u0301\u0316" * 80_000


def sorted_marks(count: int) -> str:
    """Text that takes longest to normalize."""
    return "\u0301" * (count // 2) + "\u0316" * (count // 2)


FIELDS: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("message", {"message": "ɛ" * 10_000}, {"message": "ɛ" * 10_001}, "message", "10000"),
    ("marks on one letter", {"message": f"a{MARKS[:9_999]}"}, {"message": f"a{MARKS[:10_000]}"},
     "message", "10000"),
    ("recipients", {"other_emails": addresses(24)}, {"other_emails": addresses(25)},
     "other_emails", "the limit is 25"),
    ("addresses", {"other_emails": ["a@x.example"] * 900},
     {"other_emails": ["a@x.example"] * 901}, "other_emails", "at most 900 addresses"),
    ("addresses in a string", {"other_emails": "a@x.example," * 900},
     {"other_emails": "a@x.example," * 901}, "other_emails", "at most 900 addresses"),
    ("before the @", {"other_emails": f"{'a' * 64}@x.example"},
     {"other_emails": f"{'a' * 65}@x.example"}, "other_emails", "malformed"),
    ("a domain", {"other_emails": f"a@{'a' * 63}.example"},
     {"other_emails": f"a@{'a' * 64}.example"}, "other_emails", "malformed"),
    ("a domain of many labels", {}, {"other_emails": "a@" + "é." * 30_000 + "com"},
     "other_emails", "malformed"),
    ("a domain of one letter with marks", {}, {"other_emails": f"a@a{MARKS[:60_000]}.com"},
     "other_emails", "malformed"),
    ("a letter with marks before the @", {}, {"other_emails": f"a{MARKS[:60_000]}@a.com"},
     "other_emails", "malformed"),
    ("marks of one kind behind those of another", {},
     {"other_emails": [f"a{sorted_marks(60_000)}@a.com"]}, "other_emails", "254 octets"),
    ("all addresses together", {"other_emails": ["a@x.example" + " " * 60_000]},
     {"other_emails": ["a@x.example" + " " * 66_000]}, "other_emails", "65536"),
    ("signs that no address has", {}, {"other_emails": ["".join(map(chr, range(60, 260)))]},
     "other_emails", "malformed"),
    ("distinct addresses", {}, {"other_emails": addresses(51)}, "other_emails",
     "the limit is 25"),
    ("a date", {"send_at": "9998-12-31"}, {"send_at": "9999-01-01"}, "send_at", "9998"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("most", "more", "field", "says"),
    [each[1:] for each in FIELDS],
    ids=[each[0] for each in FIELDS],
)
async def test_fields_of_a_send(
    api: Api, most: dict[str, Any], more: dict[str, Any], field: str, says: str
) -> None:
    kept = await api.post(SEND, json=most)
    assert kept.status == 202, kept.text
    answer = await api.post(SEND, json=more)
    refused(answer, 422, says)
    assert answer.fields == [field]


async def test_the_reason_of_a_suppression(api: Api) -> None:
    path = "/api/v3/suppressions"
    most = await api.post(path, json={"email": "a@x.example", "reason": "ɛ" * 500})
    assert most.status == 201
    more = await api.post(path, json={"email": "b@x.example", "reason": "ɛ" * 501})
    refused(more, 422, "500")
    assert more.fields == ["reason"]


HEADERS = [
    ("Idempotency-Key", "k" * 255, "k" * 256, "1 to 255"),
    ("Idempotency-Key", "k", "a b", "visible ASCII"),
]


@pytest.mark.parametrize(("name", "most", "more", "says"), HEADERS)
async def test_headers_with_a_meaning(api: Api, name: str, most: str, more: str, says: str) -> None:
    assert (await api.post(SEND, headers={name: most})).status == 202
    answer = await api.post(SEND, headers={name: more})
    refused(answer, 422, says)
    assert answer.fields == [name]


LISTS = ("/api/v3/sends", "/api/v3/suppressions", "/api/v3/deliveries/in-doubt")


@pytest.mark.parametrize("path", LISTS)
async def test_pages(api: Api, path: str) -> None:
    assert (await api.get(f"{path}?limit=200")).status == 200
    for field, value in (
        ("limit", "201"), ("limit", "0"), ("limit", "9" * 5000),
        ("cursor", "A" * 7000), ("cursor", "AAAA"), ("cursor", "é"),
    ):  # fmt: skip
        answer = await api.get(path, params={field: value})
        assert answer.fields == [field], answer.text


@pytest.mark.parametrize("digits", [str(2**63), "9" * 5000, "0" * 5000 + "9000"])
async def test_ids_beyond_any(api: Api, digits: str) -> None:
    assert (await api.get(f"{REPORTS}/client/{digits}/{DATES}")).status == 404
    assert (await api.post(SEND.replace("/1/", f"/{digits}/"))).status == 404
    if len(digits) < 5000:
        answer = await api.get("/api/v3/sends", params={"customer_id": digits})
        assert answer.fields == ["customer_id"]


async def test_the_longest_period_is_answered_and_no_other_is_read(api: Api) -> None:
    assert (await api.get(f"{REPORTS}/0001-01-01/9999-12-31")).status == 200
    for date in ("10000-01-01", "9" * 7000, "2024-11-1"):
        assert (await api.get(f"{REPORTS}/2024-01-01/{date}")).fields == ["to"]


def refused(answer: Answer, status: int, says: str) -> None:
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert says in answer.json["detail"]
    assert len(answer.text) < 2_000
