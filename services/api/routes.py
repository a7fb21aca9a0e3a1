"""Every URL of the API, with its handler, its words in the OpenAPI document and its scope."""

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import hdrs
from aiohttp.typedefs import Handler

from services.api.account import handlers as account
from services.api.account import openapi as account_words
from services.api.aging import handlers as aging
from services.api.aging import openapi as aging_words
from services.api.contract.page import handlers as docs
from services.api.contract.page import home, problems
from services.api.contract.page import openapi as docs_words
from services.api.core.refusals import NO_SCOPE, Scope
from services.api.customers import handlers as customers
from services.api.customers import openapi as customers_words
from services.api.formats.negotiation import Format, media_types
from services.api.formats.page import assets, links
from services.api.http import openapi as ops_words
from services.api.http import ops
from services.api.http.route import Route
from services.api.openapi.operation import Operation
from services.api.reports import handlers as reports
from services.api.reports import openapi as reports_words
from services.api.reports.listing import handlers as reports_list
from services.api.sends import handlers as sends
from services.api.sends import openapi as sends_words
from services.api.sends import openapi_in_doubt as in_doubt_words
from services.api.sign_in import handlers as sign_in
from services.api.suppressions import handlers as suppressions
from services.api.suppressions import openapi as suppressions_words
from services.api.suppressions import unsubscribe
from services.api.views import paged
from services.api.views.explain import handlers as explain
from services.api.views.explain import openapi as explain_words
from services.api.views.series import handlers as series
from services.api.views.series import openapi as series_words
from services.api.views.summary import handlers as summary
from services.api.views.summary import openapi as summary_words
from services.api.views.transactions import handlers as transactions
from services.api.views.transactions import openapi as transactions_words

_GET, _POST, _DELETE = hdrs.METH_GET, hdrs.METH_POST, hdrs.METH_DELETE
_READ: Scope = "reports:read"
_SEND: Scope = "transactions:send"
_REPORTS = "/api/v3/reports/customers"
_ID = "{id:[0-9]+}"


def _over_period(route: Route) -> tuple[Route, Route]:
    """Return a route whose path has `{from}/{to}`, and its twin with one word in their place."""
    path = route.path.replace("{from}/{to}", "{period}")
    return route, replace(route, path=path, in_words=True)


def _open(method: str, path: str, handler: Handler, operation: Operation | None = None) -> Route:
    """Return a route that needs no key; its answer is the same whatever Accept says."""
    return Route(method, path, handler, operation, produces=(), share_connection=False)


def _view(
    path: str, handler: Handler, operation: Operation, formats: Sequence[Format]
) -> tuple[Route, Route]:
    """Return the routes of a view, which is read and may be cached by its entity tag."""
    return _over_period(
        Route(
            _GET,
            f"{_REPORTS}/{path}",
            handler,
            operation,
            _READ,
            produces=media_types(formats),
            share_connection=False,
            is_conditional=True,
            is_page=True,
        )
    )


# Paths that could match the same request stand in this order: the literal `client`, then names of
# views, then dates and words.
ROUTES = (
    *_view(
        f"client/{_ID}/{{from}}/{{to}}/explain/{{field}}",
        explain.show,
        explain_words.EXPLAIN,
        paged.FORMATS,
    ),
    *_view(
        f"client/{_ID}/{{from}}/{{to}}/transactions",
        transactions.show,
        transactions_words.TRANSACTIONS,
        paged.FORMATS,
    ),
    *_view("{from}/{to}/summary", summary.show, summary_words.SUMMARY, summary.FORMATS),
    *_view("{from}/{to}/series", series.show, series_words.SERIES, series.FORMATS),
    *_over_period(
        Route(
            _GET,
            f"{_REPORTS}/client/{_ID}/{{from}}/{{to}}",
            reports.show_one,
            reports_words.SHOW_ONE,
            _READ,
            produces=media_types(reports.ONE_OFFERED),
            is_page=True,
        )
    ),
    *_over_period(
        Route(
            _POST,
            f"{_REPORTS}/client/{_ID}/{{from}}/{{to}}",
            reports.filter_one,
            reports_words.FILTER_ONE,
            _READ,
        )
    ),
    Route(
        _GET,
        f"{_REPORTS}/aging",
        aging.show,
        aging_words.SHOW,
        _READ,
        produces=media_types(aging.OFFERED),
        share_connection=False,
        is_conditional=True,
        is_page=True,
    ),
    *_over_period(
        Route(
            _GET,
            f"{_REPORTS}/{{from}}/{{to}}",
            reports.show_all,
            reports_words.SHOW_ALL,
            _READ,
            produces=media_types(reports_list.OFFERED),
            share_connection=False,
            is_conditional=True,
            is_page=True,
        )
    ),
    Route(
        _POST,
        f"{_REPORTS}/client/transactions/send/{_ID}",
        sends.send_transactions,
        sends_words.SEND_TRANSACTIONS,
        _SEND,
        alias="sendTransactionsFromReport",
    ),
    Route(
        _POST,
        f"/api/v3/clients/{_ID}/transactions/send",
        sends.send_transactions,
        sends_words.SEND_TRANSACTIONS,
        _SEND,
    ),
    Route(
        _POST,
        f"/api/v3/client/transactions/send/{_ID}",
        sends.send_transactions,
        sends_words.SEND_TRANSACTIONS,
        _SEND,
        alias="sendClientTransactions",
    ),
    Route(_GET, "/api/v3/me", account.show, account_words.SHOW, NO_SCOPE),
    Route(
        _GET,
        "/api/v3/customers",
        customers.show_list,
        customers_words.SHOW_LIST,
        _READ,
    ),
    Route(
        _GET,
        "/api/v3/sends",
        sends.list_sends,
        sends_words.LIST_SENDS,
        _SEND,
    ),
    Route(
        _GET,
        "/api/v3/sends/{id}",
        sends.show_send,
        sends_words.SHOW_SEND,
        _SEND,
    ),
    Route(_POST, "/api/v3/sends/{id}/cancel", sends.cancel_send, sends_words.CANCEL_SEND, _SEND),
    Route(
        _GET,
        "/api/v3/suppressions",
        suppressions.show_list,
        suppressions_words.SHOW_LIST,
        _SEND,
    ),
    Route(_POST, "/api/v3/suppressions", suppressions.add, suppressions_words.ADD, _SEND),
    Route(
        _DELETE, "/api/v3/suppressions/{email}", suppressions.lift, suppressions_words.LIFT, _SEND
    ),
    # In the mails themselves; whoever holds the link may use it.
    _open(_GET, "/unsubscribe/{token}", unsubscribe.ask, suppressions_words.ASK),
    _open(_POST, "/unsubscribe/{token}", unsubscribe.unsubscribe, suppressions_words.UNSUBSCRIBE),
    Route(
        _POST,
        "/api/v3/sends/{id}/reschedule",
        sends.reschedule_send,
        sends_words.RESCHEDULE_SEND,
        _SEND,
    ),
    Route(_POST, "/api/v3/sends/{id}/resend", sends.resend_send, sends_words.RESEND_SEND, _SEND),
    Route(
        _GET,
        "/api/v3/deliveries/in-doubt",
        sends.list_doubts,
        in_doubt_words.LIST_DOUBTS,
        _SEND,
    ),
    Route(
        _POST,
        "/api/v3/deliveries/{id}/resolve",
        sends.resolve_doubt,
        in_doubt_words.RESOLVE_DOUBT,
        _SEND,
    ),
    _open(_GET, "/sign-in", sign_in.ask),
    _open(_POST, "/sign-in", sign_in.sign_in),
    _open(_POST, "/sign-out", sign_in.sign_out),
    _open(_GET, "/reports", links.start),
    _open(_GET, f"/reports/{{from}}/{{to}}/{_ID}", links.customer),
    _open(_GET, f"/reports/{{from}}/{{to}}/{_ID}/{{field}}", links.figure),
    _open(_GET, "/assets/{asset}", assets.show),
    _open(_GET, "/", home.show),
    _open(_GET, "/favicon.ico", home.icon),
    _open(_GET, "/openapi.json", docs.document, docs_words.DOCUMENT),
    _open(_GET, "/problems/{type}", problems.show, docs_words.SHOW_PROBLEM),
    _open(_GET, "/docs", docs.page),
    _open(_GET, "/docs/", docs.to_page),
    _open(_GET, "/docs/{asset}", docs.asset),
    _open(_GET, "/health/live", ops.live, ops_words.LIVE),
    _open(_GET, "/health/ready", ops.ready, ops_words.READY),
    _open(_GET, "/metrics", ops.metrics, ops_words.METRICS),
)
