import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from services.api.access.model import Key
from services.api.core.refusals import Scope
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.ledgers import new_key

Logged = Callable[[], list[dict[str, Any]]]
ONE = f"{REPORTS}/client/4/{NOVEMBER}"
SCOPED: list[tuple[str, str, Scope]] = [
    ("GET", f"{REPORTS}/{NOVEMBER}", "reports:read"),
    ("GET", ONE, "reports:read"),
    ("POST", ONE, "reports:read"),
    ("POST", f"{REPORTS}/client/transactions/send/4", "transactions:send"),
    ("POST", "/api/v3/clients/4/transactions/send", "transactions:send"),
    ("POST", "/api/v3/client/transactions/send/4", "transactions:send"),
    ("GET", "/api/v3/sends", "transactions:send"),
    ("GET", "/api/v3/sends/0198c0de-0000-7000-8000-000000000000", "transactions:send"),
    ("POST", "/api/v3/sends/0198c0de-0000-7000-8000-000000000000/cancel", "transactions:send"),
    ("GET", "/api/v3/suppressions", "transactions:send"),
    ("POST", "/api/v3/suppressions", "transactions:send"),
    ("DELETE", "/api/v3/suppressions/a@x.com", "transactions:send"),
]


@pytest.mark.parametrize(("method", "path", "scope"), SCOPED)
async def test_no_call_goes_without_a_key_and_its_scope(
    reader: Api, readable: str, method: str, path: str, scope: Scope
) -> None:
    without = await reader.ask(method, path, key=None)
    assert without.status == 401
    assert without.headers["WWW-Authenticate"] == 'Bearer realm="ledgerpost"'
    assert without.json["type"] == "/problems/unauthenticated"
    lesser: Scope = "reports:read" if scope == "transactions:send" else "transactions:send"
    forbidden = await reader.ask(method, path, key=await new_key(readable, 1, lesser))
    assert forbidden.status == 403
    assert f'scope="{scope}"' in forbidden.headers["WWW-Authenticate"]
    assert forbidden.json["type"] == "/problems/missing-scope"
    assert (await reader.ask(method, path)).status not in {401, 403}


async def test_a_key_that_nobody_holds(reader: Api) -> None:
    for key in (Key.generate().text, "x", f"{reader.key}x", str(reader.key)[:-1] + "!"):
        answer = await reader.get(ONE, key=key)
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert key not in answer.text


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {key}", "{key}", "Bearer {key} {key}", "Bearer\t{key}"],
)
async def test_a_header_that_carries_no_key(reader: Api, header: str) -> None:
    answer = await reader.get(
        ONE, key=None, headers={"Authorization": header.format(key=reader.key)}
    )
    assert answer.status == 401


async def test_the_scheme_may_be_written_in_any_case(reader: Api) -> None:
    for scheme in ("bearer", "BEARER", "Bearer "):
        headers = {"Authorization": f"{scheme} {reader.key}"}
        assert (await reader.get(ONE, key=None, headers=headers)).status == 200


async def test_a_sane_request_id_comes_back(reader: Api) -> None:
    for given in ("abc-123", "~" * 128):
        answer = await reader.get("/health/live", headers={"X-Request-Id": given})
        assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "~" * 129, "a b", "é", "a\tb"])
async def test_any_other_request_id_is_replaced(reader: Api, given: str) -> None:
    answer = await reader.get("/health/live", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])


async def test_a_streamed_answer_carries_its_request_id_too(reader: Api) -> None:
    answer = await reader.get(f"{REPORTS}/{NOVEMBER}", headers={"X-Request-Id": "streamed"})
    assert answer.headers["X-Request-Id"] == "streamed"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "aiohttp" not in answer.headers["Server"]


async def test_a_request_is_logged_with_its_ids_and_without_its_key(
    reader: Api, logged: Logged
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    await reader.get(
        ONE,
        headers={"X-Request-Id": "logged", "traceparent": f"00-{trace}-b7ad6b7169203331-01"},
    )
    event = next(each for each in logged() if each.get("request_id") == "logged")
    assert event["event"] == "request_answered"
    assert event["status"] == 200
    assert event["route"] == f"{REPORTS}/client/{{id}}/{{from}}/{{to}}"
    assert event["business_id"] == 1
    assert event["trace_id"] == trace
    assert event["milliseconds"] > 0
    assert str(reader.key) not in str(logged())


async def test_metrics_name_routes_and_never_paths(reader: Api) -> None:
    await reader.get(f"{REPORTS}/2024-11-01/2024-11-02")
    await reader.get("/no/such/path-4711")
    await reader.ask("PROPFIND", ONE)
    async with asyncio.timeout(180):
        # An answer is counted once it is written, and figures are made once a second.
        while (
            'method="other"' not in (figures := (await reader.get("/metrics", key=None)).text)
            or 'status="404"' not in figures
        ):
            await asyncio.sleep(0.2)
    route = f"{REPORTS}/{{from}}/{{to}}"
    assert f'ledgerpost_http_requests_total{{method="GET",route="{route}",status="200"}}' in figures
    assert 'route="none",status="404"' in figures
    assert 'method="other"' in figures
    assert "path-4711" not in figures
    assert "2024-11-02" not in figures
    assert "PROPFIND" not in figures


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("OPTIONS", "/unsubscribe/secret", 204, "/unsubscribe/…"),
        ("PUT", "/unsubscribe/secret", 405, "/unsubscribe/…"),
        ("GET", "/unsubscribe/secret/", 404, "/unsubscribe/…"),
        ("PUT", "/api/v3/suppressions/secret@x.example", 405, "/api/…"),
    ],
)
async def test_links_and_addresses_are_not_logged_where_no_route_takes_them_either(
    reader: Api, logged: Logged, method: str, path: str, status: int, told: str
) -> None:
    assert (await reader.ask(method, path)).status == status
    assert [each["path"] for each in logged() if each["event"] == "request_answered"] == [told]
    assert "secret" not in str(logged())
