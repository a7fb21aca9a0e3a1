"""The router of the application, filled from the list of all routes."""

from collections.abc import Sequence

from aiohttp import hdrs, web

from services.api.http.appkeys import ROUTE_OF
from services.api.http.route import Route

_LAST_DAY = "/{to}"


def add_to(app: web.Application, routes: Sequence[Route]) -> None:
    """Add every route to `app` (a GET answers HEAD too), each to be found by its requests.

    aiohttp tries them in order. Those that end in a period's last day come first: no other route
    takes their paths, and most requests are for them.
    """
    found: dict[web.AbstractRoute, Route] = {}
    names = _names(routes)
    for route in sorted(routes, key=lambda each: not each.path.endswith(_LAST_DAY)):
        resource = app.router.add_resource(_pattern(route.path, names))
        is_get = route.method == hdrs.METH_GET
        for method in (hdrs.METH_GET, hdrs.METH_HEAD) if is_get else (route.method,):
            found[resource.add_route(method, route.handler)] = route
    app[ROUTE_OF] = found


def _names(routes: Sequence[Route]) -> str:
    """Return the names of views and acts that stand in a path where the last day of a period may.

    A view follows a period, and an act stands where there may be two dates.
    """
    ends = {route.path.rpartition("/{period}/")[2] for route in routes if route.in_words}
    paths = {route.path for route in routes}
    for path in paths:
        before, _, name = path.rpartition("/")
        if f"{before.rpartition('/')[0]}/{{from}}/{{to}}" in paths:
            ends.add(name)
    return "|".join(sorted(end for end in ends if end and "{" not in end))


def _pattern(path: str, names: str) -> str:
    """Return the path as the router takes it: no name of a view or act is a period's last day.

    Otherwise a method that it does not support would be taken by the calls about two dates.
    """
    if not path.endswith(_LAST_DAY):
        return path
    return f"{path[:-1]}:(?!({names})$)[^/]+}}"
