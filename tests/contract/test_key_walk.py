"""Routes that need a key accept only a valid key with their scope."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import cycle

import asyncpg
import pytest

from provision.servers import Servers
from services.api.access import sessions
from services.api.access import store as access
from services.api.access.model import Key
from services.api.core.refusals import NO_SCOPE, SCOPES
from services.api.http.route import Route
from services.api.routes import ROUTES
from tests.contract.call import QUERY, Call
from tests.contract.calls import CALLS, LISTS
from tests.contract.tenants import Tenant, settings, settle
from tests.servers import address, copied
from tests.services.api.api_client import Answer, Api, serving

GUARDED = [route for route in ROUTES if route.scope is not None]
OPEN = {
    "/sign-in",
    "/sign-out",
    "/reports",
    "/reports/{from}/{to}/{id:[0-9]+}",
    "/reports/{from}/{to}/{id:[0-9]+}/{field}",
    "/assets/{asset}",
    "/unsubscribe/{token}",
    "/verify",
    "/verify/{sha256}",
    "/openapi.json",
    "/",
    "/favicon.ico",
    "/problems/{type}",
    "/docs",
    "/docs/",
    "/docs/{asset}",
    "/health/live",
    "/health/ready",
    "/metrics",
}


@dataclass(frozen=True)
class Door:
    """The API with one business behind it, and a key of the scope that a route does not need."""

    api: Api
    tenant: Tenant
    revoked: Iterator[str]
    lesser: dict[str, str]


@pytest.fixture(scope="module")
async def door(servers: Servers, database_template: str) -> AsyncIterator[Door]:
    async with copied(servers, database_template) as name:
        dsn = address(servers, name)
        db = await asyncpg.connect(dsn)
        tenant = await settle(db, 1, "qzalpha")
        tenant.cursors = {path: [] for path in LISTS}
        revoked = [await _revoked(db) for _ in range(3)]
        lesser = {}
        for scope in SCOPES:
            others = [each for each in SCOPES if each != scope]
            lesser[scope] = (await access.create(db, business_id=1, name="x", scopes=others)).text
        async with serving(settings(dsn)) as api:
            yield Door(api, tenant, cycle(revoked), lesser)
        await db.close()


async def _revoked(db: asyncpg.Connection) -> str:
    """Return a revoked key. One is looked up 60 times a minute, and there are more routes."""
    key = await access.create(db, business_id=1, name="revoked", scopes=SCOPES)
    await access.revoke(db, key.prefix)
    return key.text


def call(route: Route, tenant: Tenant) -> Call:
    return next(iter(CALLS[route.method, route.path](tenant, tenant)))


async def ask(door: Door, route: Route, headers: dict[str, str], query: str = "") -> Answer:
    made = call(route, door.tenant)
    path = made.path.replace("{}", made.about[0] if made.about else "")
    path += ("&" if "?" in path else "?") + query if query else ""
    return await door.api.ask(route.method, path, key=None, headers=headers, params=QUERY)


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_what_is_open_is_open_on_purpose() -> None:
    assert {route.path for route in ROUTES if route.scope is None} == OPEN


@pytest.mark.parametrize("route", GUARDED, ids=_name)
async def test_nothing_else_opens_a_route(door: Door, route: Route) -> None:
    key = door.tenant.key
    forms = {
        "no header": {},
        "another scheme": {"Authorization": f"Basic {key}"},
        "no scheme": {"Authorization": key},
        "an unknown key": {"Authorization": f"Bearer {Key.generate().text}"},
        "a wrong checksum": {"Authorization": f"Bearer {key[:-1]}{'0' if key[-1] != '0' else '1'}"},
        "another case": {"Authorization": f"Bearer {key.upper()}"},
        "a revoked key": {"Authorization": f"Bearer {next(door.revoked)}"},
        "two keys": {"Authorization": f"Bearer {key} {key}"},
        "a cookie": {"Cookie": f"key={key}; Authorization=Bearer {key}"},
        "a key as a session": {"Cookie": f"ledgerpost_session={key}"},
        "a session": {"Cookie": f"ledgerpost_session={sessions.Token.generate().text}"},
        "other headers": {"X-Api-Key": key, "Proxy-Authorization": f"Bearer {key}"},
    }
    for name, headers in forms.items():
        answer = await ask(door, route, headers)
        assert answer.status == 401, (name, answer.text)
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="ledgerpost"')
        assert "qzalpha" not in answer.text
        assert key[-40:] not in f"{answer.text}{answer.headers}"
    for query in (f"key={key}", f"access_token={key}", f"api_key={key}", f"Authorization={key}"):
        assert (await ask(door, route, {}, query)).status == 401
    if route.scope == NO_SCOPE:
        for lesser in door.lesser.values():
            answer = await ask(door, route, {"Authorization": f"Bearer {lesser}"})
            assert answer.status not in {401, 403}
        return
    forbidden = await ask(door, route, {"Authorization": f"Bearer {door.lesser[str(route.scope)]}"})
    assert forbidden.status == 403


@pytest.mark.parametrize("route", GUARDED, ids=_name)
async def test_the_scheme_is_read_in_any_case_and_a_second_header_is_refused(
    door: Door, route: Route
) -> None:
    lower = await ask(door, route, {"authorization": f"bearer {door.tenant.key}"})
    assert lower.status not in {401, 403}
    made = call(route, door.tenant)
    path = made.path.replace("{}", made.about[0] if made.about else "")
    header = f"Authorization: Bearer {door.tenant.key}\r\n"
    reader, writer = await door.api.connect()
    writer.write(f"{route.method} {path} HTTP/1.1\r\nHost: x\r\n{header}{header}\r\n".encode())
    status = (await reader.readline()).split()[1]
    writer.transport.abort()
    assert status in {b"400", b"401"}
