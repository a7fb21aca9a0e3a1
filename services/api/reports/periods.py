"""The period that a request asks for: two dates, or one word of the period language."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

from aiohttp import web

from services.api.businesses import store
from services.api.businesses.model import Business
from services.api.core import fields
from services.api.core.period_words import period_of_word
from services.api.core.refusals import FieldError, Invalid, InvalidInput
from services.api.http import query
from services.api.http.appkeys import BUSINESS, CONTENT_LOCATION, PRINCIPAL
from services.api.http.connections import connection
from shared.period import Period

_DATES, _WORD = ("from", "to"), "period"


async def requested_period(request: web.Request) -> Period:
    """Return the period of the path; or that of the query, if the path has none.

    A word means days of the business's calendar. They are shown in the answer's Content-Location.
    Raises InvalidInput if the period is none, and NotFound if the business was deleted.
    """
    given = request.match_info
    if "from" in given:
        return fields.period(given["from"], given["to"])
    if _WORD in given:
        period = await _meant(request, given[_WORD])
        request[CONTENT_LOCATION] = _path_with(request, period)
        return period
    if _WORD not in request.query:
        return fields.period(*(query.once(request, name) for name in _DATES))
    if both := [name for name in _DATES if name in request.query]:
        raise InvalidInput(FieldError(name, "should not be given beside period") for name in both)
    period = await _meant(request, query.once(request, _WORD))
    request[CONTENT_LOCATION] = _query_with(request, period)
    return period


async def requested_business(request: web.Request) -> Business:
    """Return the business of the request's key; it is read once for a request."""
    if BUSINESS not in request:
        async with connection(request) as conn:
            request[BUSINESS] = await store.business(conn, request[PRINCIPAL].business_id)
    return request[BUSINESS]


async def _meant(request: web.Request, word: str) -> Period:
    business = await requested_business(request)
    try:
        today = business.today(datetime.now(UTC))
    except ZoneInfoNotFoundError:
        raise Invalid(_WORD, "cannot be determined: the business's timezone is unknown") from None
    try:
        return period_of_word(word, today, business.fiscal_year_start)
    except ValueError as error:
        raise Invalid(_WORD, str(error)) from None


def _path_with(request: web.Request, period: Period) -> str:
    """Return the path and query of the request, with the days of the period for its word."""
    resource = request.match_info.route.resource
    names = resource.canonical.split("/") if resource else []
    parts = request.rel_url.raw_path.split("/")
    place = names.index(f"{{{_WORD}}}")
    parts[place : place + 1] = [str(period.start), str(period.end)]
    return _with_query("/".join(parts), request.rel_url.raw_query_string)


def _query_with(request: web.Request, period: Period) -> str:
    kept = request.rel_url.without_query_params(_WORD).raw_query_string
    days = f"from={period.start}&to={period.end}"
    return _with_query(request.rel_url.raw_path, f"{days}&{kept}" if kept else days)


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
