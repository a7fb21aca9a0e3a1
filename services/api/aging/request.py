"""What a request for the ageing asks for."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

from aiohttp import web

from services.api.aging.listing import Aging
from services.api.aging.options import AgingOptions
from services.api.businesses.model import Business
from services.api.core.query_string import parse_query
from services.api.core.refusals import Invalid
from services.api.http.appkeys import CONTENT_LOCATION
from services.api.reports.listing import place
from services.api.reports.listing.store import Wanted


def requested_aging(request: web.Request, business: Business) -> Aging:
    """Return the ageing that is wanted; without a day, that of the business's today.

    That day is then shown in the answer's Content-Location, and in its links. Raises InvalidInput
    that names all faults at once.
    """
    options = parse_query(AgingOptions, request.query.items())
    if options.as_of is not None:
        return Aging(business.id, options.as_of, options)
    try:
        today = business.today(datetime.now(UTC))
    except ZoneInfoNotFoundError:
        raise Invalid("as_of", "is missing, and the business's timezone is unknown") from None
    request[CONTENT_LOCATION] = str(request.rel_url.update_query(as_of=str(today)))
    return Aging(business.id, today, options)


def wanted_page(aging: Aging, rows: int | None = None) -> Wanted | None:
    """Return the page that is wanted, or None for all rows; by default the first page of `rows`.

    Raises Invalid if the cursor is none of this list.
    """
    options = aging.options
    if not options.is_paged:
        return Wanted(rows) if rows else None
    at = None
    if options.cursor is not None:
        at = place.read(aging.order, aging.sort, options.cursor)
    return Wanted(options.rows, at, options.page or 1)
