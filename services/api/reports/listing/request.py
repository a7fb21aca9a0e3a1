"""What a request for the list asks for."""

from aiohttp import web

from services.api.core.query_string import parse_query
from services.api.core.refusals import FieldError, InvalidInput
from services.api.http.appkeys import PRINCIPAL
from services.api.http.periods import requested_period
from services.api.reports.compared import compared_period
from services.api.reports.listing import place
from services.api.reports.listing.model import Listing
from services.api.reports.listing.store import Wanted
from services.api.reports.model import ReportQuery
from services.api.reports.options import ListOptions
from shared.period import Period


async def requested_list(request: web.Request) -> Listing:
    """Return the list that is wanted. Raises InvalidInput that names all faults at once."""
    wrong: list[FieldError] = []
    options: ListOptions | None = None
    period: Period | None = None
    try:
        options = parse_query(ListOptions, request.query.items())
    except InvalidInput as invalid:
        wrong += invalid.errors
    try:
        period = await requested_period(request)
    except InvalidInput as invalid:
        wrong += invalid.errors
    if options is None or period is None:
        raise InvalidInput(wrong)
    compared = compared_period(period, options.compare) if options.compare else None
    return Listing(ReportQuery(request[PRINCIPAL].business_id, period), options, compared)


def wanted_page(listing: Listing) -> Wanted | None:
    """Return the page of the list that is wanted, or None for the whole list.

    Raises Invalid if the cursor is none of this list.
    """
    options = listing.options
    if not options.is_paged:
        return None
    at = None
    if options.cursor is not None:
        at = place.read(listing.order, options.sort, options.cursor)
    return Wanted(options.rows, at, options.page or 1)
