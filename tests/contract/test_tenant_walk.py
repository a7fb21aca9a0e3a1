"""A business tries every route with names of two others, and sees and changes nothing."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest
from structlog.contextvars import get_contextvars

from provision.servers import Servers
from services.api.access import store as access
from services.api.core.refusals import SCOPES
from services.api.http.route import Route
from services.api.routes import ROUTES
from shared.db import everywhere
from tests.contract import rows
from tests.contract.call import DATES, REPORTS, Call
from tests.contract.calls import CALLS, LISTS
from tests.contract.tenants import Tenant, settings, settle
from tests.servers import address, copied
from tests.services.api.api_client import Answer, Api, serving

READS = [route for route in ROUTES if route.method == "GET"]
WRITES = [route for route in ROUTES if route.method != "GET"]
WORDS = {1: "qzalpha", 2: "qzbravo", 7: "qzcharlie"}
_EMPTY = """INSERT INTO businesses (id, owner_id, name, currency, timezone)
            VALUES ($1, 1, 'Empty', 'EUR', 'UTC')"""
_NO_PAGE = '{"data":[],"next_cursor":null}'
_ID = {"X-Request-Id": "walk"}


@dataclass
class Street:
    """The API with three businesses behind it, and the database of each by its id."""

    api: Api
    dbs: dict[int, asyncpg.Connection]
    tenants: list[Tenant]

    @property
    def db(self) -> asyncpg.Connection:
        """The database of the first one."""
        return self.dbs[1]

    async def ask(self, method: str, call: Call, name: str | None, key: str) -> Answer:
        """Send `call`, with `name` if it has one."""
        path = call.path if name is None else call.path.replace("{}", name)
        options: dict[str, Any] = {"params": call.params} if call.params else {}
        if method not in {"GET", "HEAD"} and call.json is not None:
            options["json"] = call.json
        if method not in {"GET", "HEAD"} and call.data is not None:
            options["data"] = call.data
        given = None if "Cookie" in call.headers else key
        return await self.api.ask(method, path, key=given, headers=_ID | call.headers, **options)


@dataclass
class Settled:
    """The names of databases in which three businesses have settled, and which nobody uses."""

    databases: dict[int, str]
    tenants: list[Tenant]


# With two databases, two of the three businesses share one: that is the walk of `make test`.
@pytest.fixture(
    scope="module",
    params=[pytest.param("one database", marks=pytest.mark.long), "two databases"],
)
async def settled(
    request: pytest.FixtureRequest, servers: Servers, database_template: str
) -> AsyncIterator[Settled]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(copied(servers, database_template))
        names = {1: first, 2: first, 7: first}
        if request.param == "two databases":
            names[2] = await stack.enter_async_context(copied(servers, database_template))
        tenants = []
        for number, word in WORDS.items():
            conn = await asyncpg.connect(address(servers, names[number]))
            tenants.append(await settle(conn, number, word))
            await conn.close()
        yield Settled(names, tenants)


@asynccontextmanager
async def _opened(servers: Servers, settled: Settled) -> AsyncIterator[Street]:
    async with AsyncExitStack() as stack:
        copies = {
            name: await stack.enter_async_context(copied(servers, name))
            for name in dict.fromkeys(settled.databases.values())
        }
        urls = {
            number: address(servers, copies[name]) for number, name in settled.databases.items()
        }
        dbs = {}
        for number, url in urls.items():
            dbs[number] = await asyncpg.connect(url)
            stack.push_async_callback(dbs[number].close)
        api = await stack.enter_async_context(serving(settings(*dict.fromkeys(urls.values()))))
        street = Street(api, dbs, deepcopy(settled.tenants))
        for tenant in street.tenants:
            await _visit(api, tenant)
        yield street


@pytest.fixture
async def street(servers: Servers, settled: Settled) -> AsyncIterator[Street]:
    """A street of its own, for a test that may change something."""
    async with _opened(servers, settled) as opened:
        yield opened


@pytest.fixture(scope="module")
async def readers(servers: Servers, settled: Settled) -> AsyncIterator[Street]:
    """The street of all tests that only read."""
    async with _opened(servers, settled) as opened:
        yield opened


async def _visit(api: Api, tenant: Tenant) -> None:
    """Collect what the API returns to one business only."""
    listed = await api.get(f"{REPORTS}/{DATES}", key=tenant.key)
    tenant.tags = [listed.headers["ETag"]]
    for path in LISTS:
        cursor = (await api.get(f"{path}?limit=1", key=tenant.key)).json["next_cursor"]
        assert cursor, path
        tenant.cursors[path] = [cursor]


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_every_route_is_walked() -> None:
    assert {(route.method, route.path) for route in ROUTES} == set(CALLS)


async def test_every_word_tells_whose_it_is(street: Street) -> None:
    for tenant in street.tenants:
        assert await rows.unmarked(street.dbs[tenant.id], tenant.id, tenant.word) == []
        answer = await street.api.get(f"{REPORTS}/{DATES}", key=tenant.key)
        assert answer.text.count(tenant.word) > 10


async def test_two_empty_ledgers_have_different_tags(street: Street) -> None:
    tags = set()
    for number in (4, 5):
        await street.db.execute(_EMPTY, number)
        key = await access.create(street.db, business_id=number, name="x", scopes=SCOPES)
        answer = await street.api.get(f"{REPORTS}/{DATES}", key=key.text)
        assert answer.text == "[]"
        tags.add(answer.headers["ETag"])
    assert len(tags) == 2


async def test_the_queries_of_a_call_are_seen_and_no_others(street: Street) -> None:
    with _queries() as asked:
        await street.api.get("/health/ready", key=None)
    assert asked == []
    with _queries() as asked:
        await street.ask("GET", Call("/api/v3/suppressions"), None, street.tenants[0].key)
    assert asked


@pytest.mark.parametrize("route", READS, ids=_name)
async def test_nothing_of_another_business_is_seen(readers: Street, route: Route) -> None:
    await _walk_all(readers, route)


@pytest.mark.parametrize("route", WRITES, ids=_name)
async def test_nothing_of_another_business_is_seen_or_changed(street: Street, route: Route) -> None:
    await _walk_all(street, route)


async def _walk_all(street: Street, route: Route) -> None:
    methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
    for caller in street.tenants[:2]:
        others = [each for each in street.tenants if each is not caller]
        before = {each.id: await rows.dump(street.dbs[each.id], each.id) for each in others}
        for other in others:
            for call in CALLS[route.method, route.path](caller, other):
                for method in methods:
                    await _walk(street, method, call, caller, others)
                    if route.is_page:
                        await _walk(street, method, _in_a_browser(call, caller), caller, others)
                if call.about is not None and route.method not in {"GET", "HEAD"}:
                    # Under the other's Idempotency-Key, whose answer is for the other alone.
                    key = {"Idempotency-Key": other.idempotency_key}
                    keyed = replace(call, headers=call.headers | key)
                    await _walk(street, route.method, keyed, caller, others)
        for each in others:
            assert await rows.dump(street.dbs[each.id], each.id) == before[each.id]


def _in_a_browser(call: Call, caller: Tenant) -> Call:
    """Return the call with the caller's session instead of its key."""
    return replace(call, headers=call.headers | {"Cookie": f"ledgerpost_session={caller.session}"})


def _tells(shown: str, secret: str) -> bool:
    """Whether a text has it; a number not as a part of a longer one, as figures in /metrics are."""
    if not secret.isdigit():
        return secret in shown
    return re.search(rf"(?<!\d)(?<!\d\.){secret}(?!\.?\d)", shown) is not None


async def _walk(
    street: Street, method: str, call: Call, caller: Tenant, others: list[Tenant]
) -> None:
    if call.about is None:
        answer = await street.ask(method, call, None, caller.key)
        assert answer.status < 300, (call, answer.text)
        shown = _shown(answer)
    else:
        foreign, nothing = call.about
        with _queries() as asked_first:
            answer = await street.ask(method, call, foreign, caller.key)
            await _all_asked()
        with _queries() as asked_then:
            missing = await street.ask(method, call, nothing, caller.key)
            await _all_asked()
        # A tag is a digest of the request too, and so of the name.
        tags = {answer.headers.get("ETag", ""): "TAG", missing.headers.get("ETag", ""): "TAG"}
        shown = _renamed(_shown(answer), {foreign: "NAME", **tags})
        assert shown == _renamed(_shown(missing), {nothing: "NAME", **tags})
        # Nor can it be told by the time that it takes: both ask the same of Postgres.
        assert sorted(asked_first) == sorted(asked_then)
        assert answer.status == 404 or answer.text in ("", "[]", _NO_PAGE)
    for other in others:
        found = [secret for secret in other.secrets if _tells(shown, secret)]
        assert not found, (call, shown)


async def _all_asked() -> None:
    """Wait for databases that were asked at once, and whose answers were not needed."""
    while everywhere._asking:
        await asyncio.wait(everywhere._asking)


def _renamed(shown: str, names: dict[str, str]) -> str:
    for name, common in names.items():
        shown = shown.replace(name, common) if name else shown
    return shown


def _shown(answer: Answer) -> str:
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name != "Date" and not name.startswith("RateLimit")
    }
    return f"{answer.status} {headers}\n{answer.text}"


@contextmanager
def _queries() -> Iterator[list[str]]:
    """Collect the text of every query that a call of the walk makes within the block."""
    asked: list[str] = []
    execute = asyncpg.Connection._do_execute

    async def listen(self: asyncpg.Connection, query: str, *given: Any, **options: Any) -> Any:
        # The API runs in this process, and asks now and then whether Postgres is well: that is of
        # no request. What is written of a key, and when, has nothing to do with what it asks for.
        is_of_request = get_contextvars().get("request_id") == _ID["X-Request-Id"]
        if is_of_request and "api_keys" not in query and "key_windows" not in query:
            asked.append(query)
        return await execute(self, query, *given, **options)

    asyncpg.Connection._do_execute = listen
    try:
        yield asked
    finally:
        asyncpg.Connection._do_execute = execute
