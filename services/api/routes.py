"""Every URL of the API, with its handler, its words in the OpenAPI document and its scope."""

from collections.abc import Sequence

from aiohttp import hdrs
from aiohttp.typedefs import Handler

from services.api.account import handlers as account
from services.api.account import openapi as account_words
from services.api.aging import handlers as aging
from services.api.aging import openapi as aging_words
from services.api.batches import handlers as batches
from services.api.batches import openapi as batches_words
from services.api.branding import handlers as branding
from services.api.branding import openapi as brand_words
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
from services.api.http.route import Route, keyless, over_period
from services.api.openapi.operation import Operation
from services.api.preview import handlers as preview
from services.api.preview import openapi as preview_words
from services.api.reports import handlers as reports
from services.api.reports import openapi as reports_words
from services.api.reports.listing import handlers as reports_list
from services.api.returns import handlers as returns
from services.api.returns import openapi as returns_words
from services.api.schedules import handlers as schedules
from services.api.schedules import openapi as schedules_words
from services.api.sends import handlers as sends
from services.api.sends import openapi as sends_words
from services.api.sends import openapi_in_doubt as in_doubt_words
from services.api.sign_in import handlers as sign_in
from services.api.suppressions import handlers as suppressions
from services.api.suppressions import openapi as suppressions_words
from services.api.suppressions import unsubscribe
from services.api.verify import handlers as verify
from services.api.verify import openapi as verify_words
from services.api.views import paged
from services.api.views.explain import handlers as explain
from services.api.views.explain import openapi as explain_words
from services.api.views.series import handlers as series
from services.api.views.series import openapi as series_words
from services.api.views.summary import handlers as summary
from services.api.views.summary import openapi as summary_words
from services.api.views.transactions import handlers as transactions
from services.api.views.transactions import openapi as transactions_words

_GET, _POST, _PUT, _DELETE = hdrs.METH_GET, hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_DELETE
_READ: Scope = "reports:read"
_SEND: Scope = "transactions:send"
_BRAND: Scope = "branding:write"
_RETURN: Scope = "returns:write"
_REPORTS = "/api/v3/reports/customers"
_LOGO = "/api/v3/branding/logo"
_PNG = (branding.PNG,)
_ID = "{id:[0-9]+}"
_ONE = f"{_REPORTS}/client/{_ID}/{{from}}/{{to}}"


def _view(
    path: str, handler: Handler, operation: Operation, formats: Sequence[Format]
) -> tuple[Route, Route]:
    """Return the routes of a view, which is read and may be cached by its entity tag."""
    return over_period(
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


def _preview(method: str, handler: Handler, operation: Operation) -> tuple[Route, Route]:
    """Return the routes of a preview, which shows figures and sends nothing."""
    return over_period(
        Route(
            method,
            f"{_ONE}/statement",
            handler,
            operation,
            _READ,
            produces=media_types(preview.OFFERED),
            share_connection=False,
            is_page=method == _GET,
        )
    )


def _send(path: str, alias: str | None = None) -> Route:
    """Return the route of one of the published paths for a send."""
    words = sends_words.SEND_TRANSACTIONS
    return Route(_POST, path, sends.send_transactions, words, _SEND, alias=alias)


def _sending(
    method: str, path: str, handler: Handler, operation: Operation, scope: Scope = _SEND
) -> Route:
    """Return a route of the calls about what is mailed."""
    return Route(method, f"/api/v3/{path}", handler, operation, scope)


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
    *_preview(_GET, preview.show, preview_words.SHOW),
    *_preview(_POST, preview.show_send, preview_words.SHOW_SEND),
    *_view("{from}/{to}/summary", summary.show, summary_words.SUMMARY, summary.FORMATS),
    *_view("{from}/{to}/series", series.show, series_words.SERIES, series.FORMATS),
    *over_period(
        Route(
            _GET,
            _ONE,
            reports.show_one,
            reports_words.SHOW_ONE,
            _READ,
            produces=media_types(reports.ONE_OFFERED),
            is_page=True,
        )
    ),
    *over_period(Route(_POST, _ONE, reports.filter_one, reports_words.FILTER_ONE, _READ)),
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
    *over_period(
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
    _send(f"{_REPORTS}/client/transactions/send/{_ID}", "sendTransactionsFromReport"),
    _send(f"/api/v3/clients/{_ID}/transactions/send"),
    _send(f"/api/v3/client/transactions/send/{_ID}", "sendClientTransactions"),
    Route(_GET, "/api/v3/me", account.show, account_words.SHOW, NO_SCOPE),
    Route(_GET, "/api/v3/customers", customers.show_list, customers_words.SHOW_LIST, _READ),
    Route(_GET, "/api/v3/branding", branding.show, brand_words.SHOW, NO_SCOPE),
    Route(_PUT, "/api/v3/branding", branding.replace, brand_words.REPLACE, _BRAND),
    Route(_GET, _LOGO, branding.show_logo, brand_words.SHOW_LOGO, NO_SCOPE, produces=_PNG),
    Route(
        _PUT, _LOGO, branding.replace_logo, brand_words.REPLACE_LOGO, _BRAND, share_connection=False
    ),
    Route(_DELETE, _LOGO, branding.drop_logo, brand_words.DROP_LOGO, _BRAND),
    _sending(_GET, "sends", sends.list_sends, sends_words.LIST_SENDS),
    _sending(_GET, "sends/{id}", sends.show_send, sends_words.SHOW_SEND),
    _sending(_POST, "sends/{id}/cancel", sends.cancel_send, sends_words.CANCEL_SEND),
    _sending(_POST, "sends/{id}/reschedule", sends.reschedule_send, sends_words.RESCHEDULE_SEND),
    _sending(_POST, "sends/{id}/resend", sends.resend_send, sends_words.RESEND_SEND),
    _sending(_GET, "deliveries/in-doubt", sends.list_doubts, in_doubt_words.LIST_DOUBTS),
    _sending(_POST, "deliveries/{id}/resolve", sends.resolve_doubt, in_doubt_words.RESOLVE_DOUBT),
    Route(
        _POST,
        f"{_REPORTS}/transactions/send",
        batches.send_to_customers,
        batches_words.SEND_TO_CUSTOMERS,
        _SEND,
        # A dry run waits for its turn.
        share_connection=False,
    ),
    _sending(_GET, "batches", batches.list_batches, batches_words.LIST_BATCHES),
    _sending(_GET, "batches/{id}", batches.show_batch, batches_words.SHOW_BATCH),
    _sending(_GET, "batches/{id}/sends", batches.list_sends, batches_words.LIST_SENDS),
    _sending(_GET, "batches/{id}/skipped", batches.list_skipped, batches_words.LIST_SKIPPED),
    _sending(_GET, "frozen-lists/{id}", batches.list_frozen, batches_words.LIST_FROZEN),
    _sending(_POST, "batches/{id}/cancel", batches.cancel_batch, batches_words.CANCEL_BATCH),
    _sending(_GET, "schedules", schedules.show_list, schedules_words.LIST),
    _sending(_POST, "schedules", schedules.create, schedules_words.CREATE),
    _sending(_GET, "schedules/{id}", schedules.show, schedules_words.SHOW),
    _sending(hdrs.METH_PATCH, "schedules/{id}", schedules.change, schedules_words.CHANGE),
    _sending(_DELETE, "schedules/{id}", schedules.delete, schedules_words.DELETE),
    _sending(_GET, "schedules/{id}/upcoming", schedules.show_upcoming, schedules_words.UPCOMING),
    _sending(_POST, "schedules/{id}/pause", schedules.pause, schedules_words.PAUSE),
    _sending(_POST, "schedules/{id}/resume", schedules.resume, schedules_words.RESUME),
    _sending(_POST, "schedules/{id}/skip", schedules.skip, schedules_words.SKIP),
    _sending(_POST, "schedules/{id}/run", schedules.run_now, schedules_words.RUN),
    _sending(_GET, "suppressions", suppressions.show_list, suppressions_words.SHOW_LIST),
    _sending(_POST, "suppressions", suppressions.add, suppressions_words.ADD),
    _sending(_GET, "lifted-suppressions", suppressions.show_lifted, suppressions_words.SHOW_LIFTED),
    _sending(_DELETE, "suppressions/{email}", suppressions.lift, suppressions_words.LIFT),
    _sending(_POST, "returns", returns.add, returns_words.ADD, _RETURN),
    _sending(_POST, "returns/{id}/reprocess", returns.reprocess, returns_words.REPROCESS, _RETURN),
    _sending(_GET, "returns", returns.show_list, returns_words.LIST),
    _sending(_GET, "returns/{id}", returns.show, returns_words.SHOW),
    # In the mails themselves; whoever holds the link may use it.
    keyless(_GET, "/unsubscribe/{token}", unsubscribe.ask, suppressions_words.ASK),
    keyless(_POST, "/unsubscribe/{token}", unsubscribe.unsubscribe, suppressions_words.UNSUBSCRIBE),
    # On the paper of a statement; whoever has it may compare it with the real one.
    keyless(_GET, "/verify", verify.ask),
    keyless(_GET, "/verify/{sha256}", verify.show, verify_words.VERIFY),
    keyless(_GET, "/sign-in", sign_in.ask),
    keyless(_POST, "/sign-in", sign_in.sign_in),
    keyless(_POST, "/sign-out", sign_in.sign_out),
    keyless(_GET, "/reports", links.start),
    keyless(_GET, f"/reports/{{from}}/{{to}}/{_ID}", links.customer),
    keyless(_GET, f"/reports/{{from}}/{{to}}/{_ID}/{{field}}", links.figure),
    keyless(_GET, "/assets/{asset}", assets.show),
    keyless(_GET, "/", home.show),
    keyless(_GET, "/favicon.ico", home.icon),
    keyless(_GET, "/openapi.json", docs.document, docs_words.DOCUMENT),
    keyless(_GET, "/problems/{type}", problems.show, docs_words.SHOW_PROBLEM),
    keyless(_GET, "/docs", docs.page),
    keyless(_GET, "/docs/", docs.to_page),
    keyless(_GET, "/docs/{asset}", docs.asset),
    keyless(_GET, "/health/live", ops.live, ops_words.LIVE),
    keyless(_GET, "/health/ready", ops.ready, ops_words.READY),
    keyless(_GET, "/metrics", ops.metrics, ops_words.METRICS),
)
