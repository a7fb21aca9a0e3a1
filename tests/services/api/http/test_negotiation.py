import gzip
import json

import pytest

from services.api.http import negotiation
from services.api.http.negotiation import PLAIN, Coding
from services.api.openapi.operation import HTML, JSON
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ONE = f"{REPORTS}/client/4/{NOVEMBER}"
LIST = f"{REPORTS}/{NOVEMBER}"
ZIPPED, ONLY_ZIPPED = Coding(gzip=True, identity=True), Coding(gzip=True, identity=False)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "APPLICATION/JSON; charset=utf-8",
        "application/*;q=0.1",
        "text/html, */*;q=0.01",
        "text/html,application/json;q=0.9",
        "application/*;q=0, application/json",
        "application/json;q=nonsense",
    ],
)
def test_who_can_read_json(accept: str) -> None:
    assert negotiation.accepts(accept, (JSON,))


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/json;q=0",
        "application/json;q=0.000, */*",
        "application/*;q=0, */*",
        "application/problem+json",
        "text/*",
        "nonsense",
    ],
)
def test_who_cannot(accept: str) -> None:
    assert not negotiation.accepts(accept, (JSON,))


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0.1", "text/*", "*/*"])
def test_one_of_several_media_types_is_enough(accept: str) -> None:
    assert negotiation.accepts(accept, (JSON, HTML))


def test_none_of_several_media_types_may_do() -> None:
    assert not negotiation.accepts("text/csv, */*;q=0", (JSON, HTML))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", PLAIN),
        (" ", PLAIN),
        ("br", PLAIN),
        ("gzip", ZIPPED),
        ("x-gzip", ZIPPED),
        ("GZIP", ZIPPED),
        ("gzip, deflate, br, zstd", ZIPPED),
        ("br;q=1.0, gzip;q=0.5", ZIPPED),
        ("*", ZIPPED),
        ("gzip;q=0", PLAIN),
        ("gzip;q=0, *", PLAIN),
        ("gzip;q=0.5, identity", Coding(gzip=False, identity=True)),
        ("gzip;q=0.5, identity;q=0.5", ZIPPED),
        ("identity", PLAIN),
        ("gzip, identity;q=0", ONLY_ZIPPED),
        ("gzip, *;q=0", ONLY_ZIPPED),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("br, identity;q=0", None),
        ("gzip;q=0, identity;q=0", None),
        ("*;q=0, identity;q=0.1", PLAIN),
    ],
)
def test_the_coding_that_is_preferred(given: str, expected: Coding | None) -> None:
    assert negotiation.coding(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "en"),
        ("*", "en"),
        ("fr-CA", "fr"),
        ("DE-at, fr", "de"),
        ("fr;q=0, de;q=0.1", "de"),
        ("en;q=0.2, fr;q=0.8", "fr"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_language_that_is_liked_best(given: str, expected: str) -> None:
    assert negotiation.language(given, ("en", "de", "fr")) == expected


async def test_who_reads_no_json_is_told_so_in_json(reader: Api) -> None:
    for path in (ONE, LIST, "/api/v3/sends"):
        answer = await reader.get(path, headers={"Accept": "image/png"})
        assert answer.status == answer.json["status"] == 406
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "application/json" in answer.json["detail"]
        assert (await reader.get(path, headers={"Accept": "text/html, */*;q=0.1"})).status == 200
    assert (await reader.get("/metrics", headers={"Accept": "text/plain"})).status == 200


async def test_who_reads_pages_only_gets_one_if_there_is_one(reader: Api) -> None:
    for path in (ONE, LIST):
        answer = await reader.get(path, headers={"Accept": "text/html"})
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (await reader.get("/api/v3/sends", headers={"Accept": "text/html"})).status == 406


async def test_a_send_that_cannot_be_read_back_is_not_accepted(api: Api) -> None:
    path = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
    assert (await api.post(path, headers={"Accept": "text/html"})).status == 406
    assert (await api.get("/api/v3/sends")).json["data"] == []


async def test_who_can_decode_nothing_is_told_so_in_plain(reader: Api) -> None:
    answer = await reader.get(ONE, headers={"Accept-Encoding": "br, identity;q=0"})
    assert answer.status == answer.json["status"] == 406
    assert "Content-Encoding" not in answer.headers


async def raw(
    api: Api, path: str, coding: str, method: str = "GET"
) -> tuple[dict[str, str], bytes]:
    """Ask by hand and return the headers and the body as they came, without HTTP's own chunks."""
    incoming, outgoing = await api.connect()
    outgoing.write(
        f"{method} {path} HTTP/1.0\r\nHost: test\r\nAuthorization: Bearer {api.key}\r\n"
        f"Accept-Encoding: {coding}\r\n\r\n".encode()
    )
    head, _, body = (await incoming.read()).partition(b"\r\n\r\n")
    outgoing.close()
    lines = head.decode().split("\r\n")[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}, body


async def test_a_long_answer_is_zipped_for_who_asks(reader: Api) -> None:
    plain, text = await raw(reader, "/metrics", "identity")
    zipped, coded = await raw(reader, "/metrics", "gzip")
    assert "Content-Encoding" not in plain
    assert zipped["Content-Encoding"] == "gzip"
    assert plain["Vary"] == zipped["Vary"] == "Accept-Encoding"
    assert int(zipped["Content-Length"]) == len(coded) < len(text) / 2
    assert gzip.decompress(coded).startswith(b"# HELP")
    head, nothing = await raw(reader, "/metrics", "gzip", "HEAD")
    assert (head["Content-Encoding"], nothing) == ("gzip", b"")


async def test_a_short_answer_is_zipped_only_where_it_must_be(reader: Api) -> None:
    headers, text = await raw(reader, ONE, "gzip")
    assert "Content-Encoding" not in headers
    must, coded = await raw(reader, ONE, "gzip, identity;q=0")
    assert must["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(coded)) == json.loads(text)
