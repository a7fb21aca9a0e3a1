"""Every URL of the API, with the handler and the scope that a key needs for it."""

from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from services.api.contract.page import handlers as docs
from services.api.contract.page import home
from services.api.core.refusals import Scope
from services.api.http import ops
from services.api.http.appkeys import KEEPING, QUERY_OF, SCOPE_OF
from services.api.reports import handlers as reports
from services.api.sends import handlers as sends
from services.api.suppressions import handlers as suppressions
from services.api.suppressions import unsubscribe


@dataclass(frozen=True)
class Route:
    """A URL and its handler; a route without a scope needs no key.

    With a scope, it accepts the query parameters in `query` and refuses all others. If `is_prompt`,
    its handler waits only for the request's body and Postgres, and shares one connection with the
    authentication.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    query: tuple[str, ...] = ()
    is_prompt: bool = False


def _get(path: str, handler: Handler, scope: Scope | None, *query: str) -> Route:
    return Route(hdrs.METH_GET, path, handler, scope, query)


def _look_up(path: str, handler: Handler, scope: Scope, *query: str) -> Route:
    return Route(hdrs.METH_GET, path, handler, scope, query, is_prompt=True)


def _post(path: str, handler: Handler, scope: Scope | None, *query: str) -> Route:
    return Route(hdrs.METH_POST, path, handler, scope, query, is_prompt=scope is not None)


def _delete(path: str, handler: Handler, scope: Scope) -> Route:
    return Route(hdrs.METH_DELETE, path, handler, scope, is_prompt=True)


_REPORTS = "/api/v3/reports/customers"
_ID = "{id:[0-9]+}"
_PERIOD = ("from", "to")
_PAGE = ("limit", "cursor")

ROUTES = (
    _get(f"{_REPORTS}/{{from}}/{{to}}", reports.show_all, "reports:read"),
    _look_up(f"{_REPORTS}/client/{_ID}/{{from}}/{{to}}", reports.show_one, "reports:read"),
    _post(f"{_REPORTS}/client/{_ID}/{{from}}/{{to}}", reports.filter_one, "reports:read"),
    _post(
        f"{_REPORTS}/client/transactions/send/{_ID}",
        sends.send_transactions,
        "transactions:send",
        *_PERIOD,
    ),
    _post(
        f"/api/v3/clients/{_ID}/transactions/send",
        sends.send_transactions,
        "transactions:send",
        *_PERIOD,
    ),
    _post(
        f"/api/v3/client/transactions/send/{_ID}",
        sends.send_transactions,
        "transactions:send",
        *_PERIOD,
    ),
    _look_up(
        "/api/v3/sends", sends.list_sends, "transactions:send", "customer_id", "status", *_PAGE
    ),
    _look_up("/api/v3/sends/{id}", sends.show_send, "transactions:send"),
    _post("/api/v3/sends/{id}/cancel", sends.cancel_send, "transactions:send"),
    _look_up("/api/v3/suppressions", suppressions.show_list, "transactions:send", *_PAGE),
    _post("/api/v3/suppressions", suppressions.add, "transactions:send"),
    _delete("/api/v3/suppressions/{email}", suppressions.lift, "transactions:send"),
    # Links in mails; whoever has a link may use it.
    _get("/unsubscribe/{token}", unsubscribe.ask, None),
    _post("/unsubscribe/{token}", unsubscribe.unsubscribe, None),
    _post("/api/v3/sends/{id}/reschedule", sends.reschedule_send, "transactions:send"),
    _post("/api/v3/sends/{id}/resend", sends.resend_send, "transactions:send"),
    _look_up("/api/v3/deliveries/in-doubt", sends.list_doubts, "transactions:send", *_PAGE),
    _post("/api/v3/deliveries/{id}/resolve", sends.resolve_doubt, "transactions:send"),
    _get("/", home.show, None),
    _get("/favicon.ico", home.icon, None),
    _get("/openapi.json", docs.document, None),
    _get("/docs", docs.page, None),
    _get("/docs/", docs.to_page, None),
    _get("/docs/{asset}", docs.asset, None),
    _get("/health/live", ops.live, None),
    _get("/health/ready", ops.ready, None),
    _get("/metrics", ops.metrics, None),
)


def add_to(app: web.Application) -> None:
    """Add every route to `app` (GET includes HEAD), with the scopes and parameters of handlers."""
    for route in ROUTES:
        if route.method == hdrs.METH_GET:
            app.router.add_get(route.path, route.handler)
        else:
            app.router.add_route(route.method, route.path, route.handler)
    app[SCOPE_OF] = {route.handler: route.scope for route in ROUTES}
    app[QUERY_OF] = {
        route.handler: frozenset(route.query) for route in ROUTES if route.scope is not None
    }
    app[KEEPING] = frozenset(route.handler for route in ROUTES if route.is_prompt)
