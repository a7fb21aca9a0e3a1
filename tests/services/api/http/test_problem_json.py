import zlib
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from services.api.core.problems import KINDS
from services.api.core.refusals import Postponed, Refusal
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

Logged = Callable[[], list[dict[str, Any]]]
FILTER = f"{REPORTS}/client/4/{NOVEMBER}"
SEND = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
JSON = {"Content-Type": "application/json"}


def test_every_refusal_has_a_kind_of_its_own() -> None:
    def kinds(of: type[Refusal]) -> set[type[Refusal]]:
        return {of}.union(*(kinds(each) for each in of.__subclasses__()))

    for refusal in kinds(Refusal) - {Refusal, Postponed}:  # these two are never raised
        assert any(issubclass(refusal, known) for known in KINDS), refusal
        assert not issubclass(refusal, OSError), "it would look like an outage of Postgres"
    types = [kind.type for kind in KINDS.values()]
    assert len(set(types)) == len(types)


async def test_a_path_of_no_route(reader: Api) -> None:
    answer = await reader.get("/api/v3/nothing", headers={"X-Request-Id": "abc"})
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Nothing matches the given URI",
        "instance": "/api/v3/nothing",
        "request_id": "abc",
    }


async def test_a_wrong_method_is_told_the_right_ones(reader: Api) -> None:
    answer = await reader.ask("DELETE", FILTER)
    assert answer.status == answer.json["status"] == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b'{"id": NaN}', b"[" * 100_000, b'"\\ud800"'])
async def test_broken_json(reader: Api, body: bytes) -> None:
    answer = await reader.post(FILTER, data=body, headers=JSON)
    if body:
        assert answer.status == 400
        assert answer.json["type"] == "/problems/malformed-body"
    else:
        assert answer.status == 200


@pytest.mark.parametrize("body", [b"null", b'""', b" null "])
async def test_json_that_says_no_body(reader: Api, body: bytes) -> None:
    assert (await reader.post(FILTER, data=body, headers=JSON)).status == 200


@pytest.mark.parametrize("body", [b'{"x\\u0000": 1}', b'{"id": {"deep": ["\\u0000"]}}'])
async def test_nul_anywhere_in_the_body_is_refused(reader: Api, body: bytes) -> None:
    answer = await reader.post(FILTER, data=body, headers=JSON)
    assert answer.status == 422
    assert "NUL" in answer.text


@pytest.mark.parametrize("body", [b"[1]", b"4", b'"id"'])
async def test_json_that_is_no_object(reader: Api, body: bytes) -> None:
    assert (await reader.post(FILTER, data=body, headers=JSON)).fields == ["body"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "nonsense"])
async def test_a_wrong_content_type(reader: Api, content_type: str) -> None:
    answer = await reader.post(FILTER, data=b"id=4", headers={"Content-Type": content_type})
    assert answer.status == 415
    assert "application/json" in answer.headers["Accept"]
    assert answer.json["type"] == "about:blank"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
async def test_a_body_of_two_megabytes(reader: Api, content_type: str) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n'
    answer = await reader.post(
        FILTER, data=head + b" " * 2_000_000, headers={"Content-Type": content_type}
    )
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_body_just_below_the_limit(reader: Api) -> None:
    body = b'{"id": 4, "more": "' + b"x" * 1_048_000 + b'"}'
    assert (await reader.post(FILTER, data=body, headers=JSON)).status == 200


async def test_a_compressed_body(reader: Api) -> None:
    zipped = {**JSON, "Content-Encoding": "deflate"}
    small = await reader.post(FILTER, data=zlib.compress(b'{"id": 5}'), headers=zipped)
    assert small.fields == ["id"]
    bomb = await reader.post(FILTER, data=zlib.compress(b" " * 50_000_000), headers=zipped)
    assert bomb.status == 413
    assert (await reader.post(FILTER, data=b"no deflate", headers=zipped)).status == 400
    # Of gzip the server would not notice that it ends early.
    for encoding in ("rot13", "gzip"):
        unknown = await reader.post(
            FILTER, data=b"{}", headers={**JSON, "Content-Encoding": encoding}
        )
        assert unknown.status == 415
        assert unknown.headers["Accept-Encoding"] == "deflate, identity"


FORM = b'--x\r\nContent-Disposition: form-data; name="id"%s\r\n\r\n%s\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (FORM % (b"", b"4"), 200),
        (FORM % (b"", b"5"), 422),
        (FORM % (b'; filename="4"', b"4"), 422),
        (FORM % (b"", b"\xff"), 400),
        (b"no parts", 400),
        (b"--x\r\n", 400),
        (FORM.replace(b'; name="id"', b"") % (b"", b"4"), 400),
        (FORM % (b"\r\nContent-Transfer-Encoding: nonsense", b"4"), 400),
        (FORM % (b"\r\nno header", b"4"), 400),
    ],
)
async def test_a_multipart_form(reader: Api, body: bytes, status: int) -> None:
    answer = await reader.post(
        FILTER, data=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status == status, answer.text


async def test_the_name_of_a_file_in_a_form_is_cut(reader: Api) -> None:
    body = FORM.replace(b'"id"', b'"%s"' % (b"x" * 5_000)) % (b'; filename="4"', b"4")
    answer = await reader.post(
        FILTER, data=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.fields == ["x" * 200 + "…"]


async def test_json_that_is_said_to_be_a_form(reader: Api) -> None:
    """What `curl -d` does with JSON."""
    answer = await reader.post(
        SEND,
        data=b' {"message": "x"}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 400
    assert "Use Content-Type: application/json" in answer.json["detail"]


async def test_an_unknown_field_is_told_the_known_ones(reader: Api) -> None:
    answer = await reader.post(SEND, json={"mesage": "x", "message": 4})
    assert answer.json["errors"] == [
        {"field": "message", "message": "should be text"},
        {
            "field": "mesage",
            "message": "is not a field of this request; its fields are message, other_emails,"
            " send_tome, send_at, copy_to_me, statement_kind, locale",
        },
    ]


@pytest.mark.parametrize("body", [b"id=%ff", b"id=\xff", b"a&" * 5000])
async def test_a_form_that_cannot_be_read(reader: Api, body: bytes) -> None:
    answer = await reader.post(
        FILTER, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status == 400


async def test_a_defect_shows_no_trace_but_its_request_id(
    reader: Api, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    async def defect(*_: object) -> web.Response:
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr("services.api.reports.store.income_by_customer", defect)
    answer = await reader.get(FILTER, headers={"X-Request-Id": "find-me"})
    assert answer.status == 500
    assert answer.json["request_id"] == "find-me"
    assert "secret" not in answer.text
    assert "Zero" not in answer.text
    event = next(each for each in logged() if each["event"] == "request_failed")
    assert "the secret of the house" in event["exception"]
    assert event["request_id"] == "find-me"
