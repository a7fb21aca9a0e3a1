from collections.abc import AsyncIterator

import pytest
from pydantic import ValidationError

from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import NOVEMBER, REPORTS, Api, serving

ONE = f"{REPORTS}/client/4/{NOVEMBER}"
PAGE, OTHER = "https://app.example", "http://localhost:5173"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@pytest.fixture
async def open_to_some(readable: str, reader: Api) -> AsyncIterator[Api]:
    settings = ApiSettings.from_environ(
        {"DATABASE_URL": readable, "CORS_ORIGINS": f"{PAGE}, {OTHER}"}
    )
    async with serving(settings) as api:
        api.key = reader.key
        yield api


def cors_of(headers: object) -> set[str]:
    return {str(name) for name in headers if str(name).startswith("Access-Control")}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (ONE, "GET, HEAD, OPTIONS, POST"),
        (f"{REPORTS}/{NOVEMBER}", "GET, HEAD, OPTIONS"),
        ("/api/v3/clients/4/transactions/send", "OPTIONS, POST"),
        ("/api/v3/suppressions/a@x.example", "DELETE, OPTIONS"),
        ("/health/live", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_tells_the_methods_of_a_path_without_a_key(
    reader: Api, path: str, methods: str
) -> None:
    answer = await reader.ask("OPTIONS", path, key=None, headers={"Origin": PAGE, **PREFLIGHT})
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["Allow"] == methods
    assert answer.headers["X-Request-Id"]
    assert cors_of(answer.headers) == set()


async def test_options_of_no_path_is_a_404(reader: Api) -> None:
    answer = await reader.ask("OPTIONS", "/api/v3/nothing")
    assert answer.status == answer.json["status"] == 404


async def test_options_of_the_server_as_a_whole(reader: Api) -> None:
    incoming, outgoing = await reader.connect()
    outgoing.write(b"OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
    head = (await incoming.read()).decode()
    outgoing.close()
    assert head.startswith("HTTP/1.1 204 ")
    assert "Allow: DELETE, GET, HEAD, OPTIONS, POST" in head


async def test_no_page_may_read_unless_it_is_named(reader: Api) -> None:
    answer = await reader.get(ONE, headers={"Origin": PAGE})
    assert answer.status == 200
    assert cors_of(answer.headers) == set()


@pytest.mark.parametrize("origin", [PAGE, OTHER])
async def test_a_named_page_may_ask_and_read(open_to_some: Api, origin: str) -> None:
    headers = {"Origin": origin, **PREFLIGHT}
    before = await open_to_some.ask("OPTIONS", ONE, key=None, headers=headers)
    assert before.status == 204
    assert before.headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in before.headers["Access-Control-Allow-Methods"]
    allowed = before.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "idempotency-key", "traceparent"} <= set(allowed)
    assert int(before.headers["Access-Control-Max-Age"]) > 0
    assert {"Origin", "Access-Control-Request-Method"} <= set(before.headers["Vary"].split(", "))

    for answer in (
        await open_to_some.get(ONE, headers={"Origin": origin}),
        await open_to_some.get(f"{REPORTS}/{NOVEMBER}", headers={"Origin": origin}),
        await open_to_some.get(ONE, headers={"Origin": origin}, key=None),
        await open_to_some.get("/api/v3/nothing", headers={"Origin": origin}),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert {"X-Request-Id", "Location", "ETag", "Retry-After", "RateLimit"} <= exposed
        assert "RateLimit-Remaining" in exposed
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://app.example.evil", "http://app.example", "null", f"{PAGE}:444", ""]
)
async def test_any_other_page_may_not(open_to_some: Api, origin: str) -> None:
    headers = {"Origin": origin, **PREFLIGHT}
    before = await open_to_some.ask("OPTIONS", ONE, key=None, headers=headers)
    answer = await open_to_some.get(ONE, headers={"Origin": origin})
    assert (before.status, answer.status) == (204, 200)
    assert cors_of(before.headers) == cors_of(answer.headers) == set()
    # Or a cache would give one page's answer to another.
    assert "Origin" in before.headers["Vary"]
    assert "Origin" in answer.headers["Vary"]
    assert "Origin" in (await open_to_some.get(ONE)).headers["Vary"]


async def test_every_page_may_where_the_operator_says_so(readable: str, reader: Api) -> None:
    settings = ApiSettings(database_url=acting(readable, "api"), cors_origins="*")
    async with serving(settings) as api:
        answer = await api.get(ONE, key=reader.key, headers={"Origin": PAGE})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Origin" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize(
    "wrong", ["app.example", "https://app.example/", "https://App.example", "ftp://a", "*.x", "a,,"]
)
def test_an_origin_is_written_as_browsers_write_it(wrong: str) -> None:
    with pytest.raises(ValidationError, match="should be"):
        ApiSettings(database_url="postgresql://h/d", cors_origins=wrong)
