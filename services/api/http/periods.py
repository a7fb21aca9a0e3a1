"""The period that a request asks for: two dates, or one word of the period language."""

from datetime import UTC, datetime

from aiohttp import web

from services.api.businesses import store
from services.api.businesses.model import Business
from services.api.businesses.periods import period_meant
from services.api.core import fields
from services.api.http.appkeys import BUSINESS, CONTENT_LOCATION, PRINCIPAL
from services.api.http.connections import connection
from shared.period import Period


async def requested_period(request: web.Request) -> Period:
    """Return the period of the path, which has two dates or a word.

    A word means days of the business's calendar. They are shown in the answer's Content-Location.
    Raises InvalidInput if the period is none, and NotFound if the business was deleted.
    """
    given = request.match_info
    if "period" not in given:
        return fields.period(given["from"], given["to"])
    period = period_meant(given["period"], await requested_business(request), datetime.now(UTC))
    request[CONTENT_LOCATION] = _with_dates(request, period)
    return period


async def requested_business(request: web.Request) -> Business:
    """Return the business of the request's key, which is read once for each request.

    Raises NotFound if it was deleted.
    """
    if BUSINESS not in request:
        async with connection(request) as conn:
            request[BUSINESS] = await store.business(conn, request[PRINCIPAL].business_id)
    return request[BUSINESS]


def _with_dates(request: web.Request, period: Period) -> str:
    """Return the path and query of the request, with the days of the period for its word."""
    resource, url = request.match_info.route.resource, request.rel_url
    place = (resource.canonical if resource else "").split("/").index("{period}")
    parts = url.raw_path.split("/")
    parts[place] = f"{period.start}/{period.end}"
    path = "/".join(parts)
    return f"{path}?{url.raw_query_string}" if url.raw_query_string else path
