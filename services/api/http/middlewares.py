"""The middlewares around every handler; `AROUND` lists them from the outside in."""

import logging
import time
from collections.abc import Collection, Iterator
from http import HTTPStatus
from typing import NamedTuple

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from structlog.contextvars import bind_contextvars, reset_contextvars

from services.api.core.refusals import FieldError, InvalidInput
from services.api.http import (
    browsers,
    connections,
    cors,
    forwarded,
    headers,
    negotiation,
    problem_json,
    replica,
    request_log,
    writer,
)
from services.api.http.appkeys import (
    CODING,
    METRICS,
    PRINCIPAL,
    PROBLEM_PAGE,
    REQUEST_ID,
    ROUTE,
    ROUTE_OF,
    TRACE,
)
from services.api.http.authentication import authenticate
from services.api.http.negotiation import Coding
from services.api.http.route import Route
from shared.db.postgres import is_away
from shared.process import tracing
from shared.process.tracing import Span
from shared.trace import Trace

_log = structlog.stdlib.get_logger(__name__)
# Its isEnabledFor() costs less than a structlog event that is dropped.
_levels = logging.getLogger(__name__)

# Bytes of an answer; a shorter one fits into one packet uncompressed.
_WORTH_CODING = 1400
# Files that are compressed inside.
_COMPRESSED = frozenset(
    {"application/pdf", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
)
_PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, route and trace; log and count its answer."""
    started, status = time.perf_counter(), problem_json.NO_ANSWER
    request[REQUEST_ID] = request_id = headers.request_id(request)
    request[ROUTE] = _route(request)
    names = _names(request)
    given = request.headers.getall("traceparent", [])
    span = _begun(names, given)
    request[TRACE] = trace = span.trace or Trace.of(given)
    before = bind_contextvars(request_id=request_id, trace_id=trace.trace_id, span_id=trace.span_id)
    try:
        response = await handler(request)
        status = response.status
        if status == HTTPStatus.SERVICE_UNAVAILABLE and problem_json.reader_left(request):
            status = problem_json.NO_ANSWER
    finally:
        _record(request, names, span, status, time.perf_counter() - started)
        reset_contextvars(**before)
    return response


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an exception of the handler into the problem+json answer that describes it.

    For a person who is signed in it is a page.
    """
    try:
        response = await handler(request)
    except Exception as error:  # noqa: BLE001 -- the last resort of every request
        if problem_json.reader_lost(request, error):
            return problem_json.BrokenOff(request, problem_json.NO_ANSWER)
        if not problem_json.expected(error):
            _log.exception("request_failed")
        elif is_away(error) and not problem_json.reader_left(request):
            connections.away(request, error)
        if request.writer.output_size > 0:
            return problem_json.BrokenOff(request, HTTPStatus.INTERNAL_SERVER_ERROR)
        problem = problem_json.answer(request, error)
        return request.app[PROBLEM_PAGE](problem) if browsers.reads_page(request) else problem
    if PRINCIPAL in request:  # then the database has answered
        connections.database_of(request).trouble.over()
    return response


@web.middleware
async def negotiate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 406 if Accept or Accept-Encoding rules out every representation of the answer.

    An answer of 1400 bytes or more is compressed if the caller prefers gzip.
    """
    route = request[ROUTE]
    if route is None:
        return await handler(request)
    if _may_be_ruled_out(request, route) and not negotiation.accepts(
        ",".join(request.headers.getall(hdrs.ACCEPT, ())), route.produces
    ):
        types = " or ".join(route.produces)
        raise web.HTTPNotAcceptable(text=f"The answer is {types}, which Accept rules out.")
    coding = negotiation.coding(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())))
    if coding is None:
        raise web.HTTPNotAcceptable(
            text="The answer is encoded with gzip or not at all; Accept-Encoding rules out both."
        )
    request[CODING] = coding
    response = await handler(request)
    if isinstance(response, web.Response) and response.body is not None:
        _code(response, coding)
    return response


@web.middleware
async def check_query(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse query parameters that a call with a key does not take: a misspelt one would be lost.

    Open routes ignore what they do not know.
    """
    route = request[ROUTE]
    if route is None or route.scope is None:
        return await handler(request)
    taken = route.query
    if not taken.issuperset(request.query):
        raise InvalidInput(_unknown(request, taken))
    return await handler(request)


AROUND: tuple[Middleware, ...] = (
    observe,
    writer.write,
    explain,
    cors.options,
    negotiate,
    connections.share,
    authenticate,
    check_query,
    replica.read,
)


def _unknown(request: web.Request, taken: Collection[str]) -> Iterator[FieldError]:
    """Yield each query parameter that the call does not take; the first one says which it takes."""
    said = "is not a query parameter of this call"
    known = f"; it takes {', '.join(sorted(taken)) or 'none'}"
    for name in dict.fromkeys(request.query):
        if name not in taken:
            yield FieldError(name, said + known)
            known = ""


def _may_be_ruled_out(request: web.Request, route: Route) -> bool:
    """Return whether Accept has a say; a `format` in the query wins over it."""
    return bool(route.produces) and not ("format" in request.query and "format" in route.query)


def _code(response: web.Response, coding: Coding) -> None:
    """Compress a whole answer if that pays; aiohttp does it in a thread beside the event loop."""
    size = response.content_length or 0
    if size == 0 or hdrs.CONTENT_ENCODING in response.headers:
        return
    if response.content_type in _COMPRESSED and coding.identity:
        return
    if size >= _WORTH_CODING:
        cors.vary(response, hdrs.ACCEPT_ENCODING)
    if (coding.gzip and size >= _WORTH_CODING) or not coding.identity:
        response.enable_compression(web.ContentCoding.gzip)
        if tag := response.headers.get(hdrs.ETAG):
            response.headers[hdrs.ETAG] = f'{tag[:-1]}-gzip"'


def _route(request: web.Request) -> Route | None:
    """Return the route of the request; None if none takes it. Raises KeyError if undeclared."""
    match = request.match_info
    return None if match.http_exception is not None else request.app[ROUTE_OF][match.route]


class _Names(NamedTuple):
    """Method and route of a request, as metrics, spans and logs name them."""

    method: str
    route: str


def _names(request: web.Request) -> _Names:
    resource = request.match_info.route.resource
    method = request.method if request.method in hdrs.METH_ALL else "other"
    return _Names(method, resource.canonical if resource is not None else "none")


def _begun(names: _Names, traceparent: list[str]) -> Span:
    """Return a span for the request; probes have none, because they come every few seconds."""
    method, route = names
    if route in _PROBES:
        return tracing.OFF
    attributes = {"http.request.method": method, "http.route": route}
    return tracing.begin(f"{method} {route}", "server", Trace.given(traceparent), attributes)


def _record(request: web.Request, names: _Names, span: Span, status: int, seconds: float) -> None:
    method, route = names
    principal = request.get(PRINCIPAL)
    span.note({"http.response.status_code": status})
    if principal is not None:
        span.note({"ledgerpost.business_id": principal.business_id})
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.fail(str(status))
    span.end()
    try:
        request.app[METRICS].record(method=method, route=route, status=status, seconds=seconds)
    except Exception:  # noqa: BLE001 -- the request was handled, so its caller must get the answer
        _log.exception("request_not_counted")
    # Probes come every few seconds and are of no interest unless they fail.
    is_probe = route in _PROBES and status < HTTPStatus.BAD_REQUEST
    level = logging.DEBUG if is_probe else logging.INFO
    if not _levels.isEnabledFor(level):
        return
    _log.log(
        level,
        "request_answered",
        method=method,
        path=request_log.path(request),
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 3),
        remote=forwarded.of(request),
        business_id=principal and principal.business_id,
        key_id=principal and str(principal.key_id),
    )
