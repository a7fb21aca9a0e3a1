"""Of routes that could take one path: `client` first, then names of views, dates and words last."""

import re
from itertools import combinations
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from services.api.http.route import Route
from services.api.http.routing import add_to
from services.api.routes import ROUTES
from tests.contract.call import REPORTS

_ID = re.compile(r"\{id:[^}]*\}")
DAY = "2024-11-01"


def parts(route: Route) -> list[str]:
    return route.path.split("/")


def meeting(one: Route, other: Route) -> str | None:
    """Return a path that both routes could take, or None."""
    if one.method != other.method or len(parts(one)) != len(parts(other)):
        return None
    found = [both(*each) for each in zip(parts(one), parts(other), strict=True)]
    return None if None in found else "/".join(each or "" for each in found)


def both(one: str, other: str) -> str | None:
    """Return a text that both parts of a path take, or None."""
    if "{" not in one and "{" not in other:
        return one if one == other else None
    named = [each for each in (one, other) if "{" not in each]
    if not named:
        return "4" if _ID.fullmatch(one) or _ID.fullmatch(other) else DAY
    is_id = any(_ID.fullmatch(each) for each in (one, other))
    return named[0] if named[0] and (named[0].isdigit() or not is_id) else None


def takes(route: Route, path: str) -> bool:
    found = path.split("/")
    return len(found) == len(parts(route)) and all(
        both(part, text) == text for part, text in zip(parts(route), found, strict=True)
    )


def rank(route: Route) -> list[bool]:
    """The first part by which two routes differ decides: a name comes before whatever is given."""
    return ["{" in part for part in parts(route)]


MEETINGS = sorted(
    {
        (one.method, path)
        for one, other in combinations(ROUTES, 2)
        if (path := meeting(one, other)) is not None
    }
)


async def taken_by(method: str, path: str) -> str:
    app = web.Application()
    add_to(app, ROUTES)
    match = await app.router.resolve(make_mocked_request(method, path))
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", match.route.resource.canonical)  # type: ignore[union-attr]  # a route of ours


async def test_the_more_literal_route_takes_a_path_that_two_could_take() -> None:
    for method, path in MEETINGS:
        able = [route for route in ROUTES if route.method == method and takes(route, path)]
        assert len(able) > 1
        expected = re.sub(r"\{(\w+):[^}]*\}", r"{\1}", min(able, key=rank).path)
        assert await taken_by(method, path) == expected, (method, path)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        (f"{DAY}/{DAY}", "{from}/{to}"),
        (DAY, "{period}"),
        ("client", "{period}"),
        ("client/4", "{from}/{to}"),
        (f"client/4/{DAY}", "client/{id}/{period}"),
        ("client/4/client", "client/{id}/{period}"),
        (f"client/4/{DAY}/{DAY}", "client/{id}/{from}/{to}"),
        (f"{DAY}/series", "{period}/series"),
        (f"{DAY}/{DAY}/series", "{from}/{to}/series"),
        ("client/4/series", "client/{id}/{period}"),
        (f"client/4/{DAY}/transactions", "client/{id}/{period}/transactions"),
        (f"client/4/{DAY}/explain/transactions", "client/{id}/{period}/explain/{field}"),
        (f"client/4/{DAY}/{DAY}/explain/owing", "client/{id}/{from}/{to}/explain/{field}"),
    ],
)
async def test_reports_are_found(path: str, template: str) -> None:
    assert await taken_by("GET", f"{REPORTS}/{path}") == f"{REPORTS}/{template}"


@pytest.mark.parametrize(
    "path", [f"client/4/{DAY}/transactions", f"{DAY}/series", f"client/4/{DAY}/{DAY}/explain/owing"]
)
async def test_a_view_does_not_pass_a_method_on_to_a_call_about_two_dates(path: str) -> None:
    app = web.Application()
    add_to(app, ROUTES)
    match = await app.router.resolve(make_mocked_request("POST", f"{REPORTS}/{path}"))
    assert isinstance(match.http_exception, web.HTTPMethodNotAllowed)
    assert match.http_exception.allowed_methods == {"GET", "HEAD"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{DAY}/{DAY}"),
        ("GET", f"client/4/{DAY}/{DAY}"),
        ("POST", f"client/4/{DAY}/{DAY}"),
    ],
)
async def test_a_report_is_found_at_the_first_try(
    method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, resolve = [], web.DynamicResource.resolve

    async def noted(resource: web.DynamicResource, request: web.Request) -> Any:
        tried.append(resource.canonical)
        return await resolve(resource, request)

    monkeypatch.setattr(web.DynamicResource, "resolve", noted)
    assert [await taken_by(method, f"{REPORTS}/{path}")] == tried
