"""The router of the application, filled from the list of all routes."""

from collections.abc import Iterable, Sequence

from aiohttp import hdrs, web

from services.api.http.appkeys import ROUTE_OF
from services.api.http.route import Route


def add_to(app: web.Application, routes: Sequence[Route]) -> None:
    """Add every route to `app` (a GET answers HEAD too), each to be found by its requests."""
    found: dict[web.AbstractRoute, Route] = {}
    views = _views(routes)
    for route in routes:
        resource = app.router.add_resource(_pattern(route.path, views))
        is_get = route.method == hdrs.METH_GET
        for method in (hdrs.METH_GET, hdrs.METH_HEAD) if is_get else (route.method,):
            found[resource.add_route(method, route.handler)] = route
    app[ROUTE_OF] = found


def _views(routes: Iterable[Route]) -> str:
    """Return the names of the views, of which each follows a period in a path."""
    ends = (route.path.rpartition("/{period}/")[2] for route in routes if route.in_words)
    return "|".join(sorted({end for end in ends if end and "{" not in end}))


def _pattern(path: str, views: str) -> str:
    """Return the path as the router takes it: the name of a view is never the last day of a period.

    Otherwise a method that a view does not support would be taken by the calls about two dates.
    """
    if not path.endswith("/{to}"):
        return path
    return f"{path[:-1]}:(?!({views})$)[^/]+}}"
