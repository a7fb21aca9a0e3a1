from aiohttp import web

from services.api.http.appkeys import CONTENT_LOCATION
from shared.period import Period


def tell_dates(request: web.Request, period: Period | str, start: object, end: object) -> None:
    """Note path and query of a request with the days that its `period` means, if it is a word.

    The days are dates, or texts that say them.
    """
    if isinstance(period, str):
        url = request.rel_url.without_query_params("period")
        dated = url.extend_query({"from": str(start), "to": str(end)})
        request[CONTENT_LOCATION] = str(dated)
