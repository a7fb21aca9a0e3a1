"""Where a person begins, and short links that lead on to the paths of reports."""

import re
from urllib.parse import quote

from aiohttp import hdrs, web

from services.api.formats.page import urls
from services.api.formats.page.heads import SLUGS
from services.api.formats.page.navigation import View

_VIEWS = {slug: view for view, slug in SLUGS.items()}
_DATES = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})")
_BETWEEN = re.compile(r"\s*(?:\.\.+|/+|–|—|\bto\b|\buntil\b)\s*")
_FIRST = "this-month"
_PERIOD_CHARS_MAX = 100
_OWN = frozenset({"view", "customer", "field", "period"})
_ENDS = {View.SUMMARY: "/summary", View.SERIES: "/series"}


async def start(request: web.Request) -> web.Response:
    """Lead to a view by the fields of a form: without fields, to the list of this month.

    Fields that a person left empty are left out.
    """
    query = request.query
    view = _VIEWS.get(query.get("view", ""), View.LIST)
    period = _period(query.get("period", "") or _FIRST)
    path = _path(view, period, query.get("customer", ""), query.get("field", ""))
    kept = [(name, value) for name, value in query.items() if name not in _OWN and value]
    return _to(urls.with_query(path, kept))


async def customer(request: web.Request) -> web.Response:
    """Lead from the short link of a customer to its report."""
    return _to(urls.with_query(_short(request), request.query.items()))


async def figure(request: web.Request) -> web.Response:
    """Lead from the short link of a figure, or of `transactions`, to what makes it up."""
    field = quote(request.match_info["field"], safe="")
    end = field if field == "transactions" else f"explain/{field}"
    return _to(urls.with_query(f"{_short(request)}/{end}", request.query.items()))


def _short(request: web.Request) -> str:
    start, end, number = (request.match_info[name] for name in ("from", "to", "id"))
    return f"{urls.REPORTS}/client/{number}/{quote(start, safe='')}/{quote(end, safe='')}"


def _path(view: View, period: str, customer: str, field: str) -> str:
    if view is View.AGING:
        return f"{urls.REPORTS}/aging"
    number = customer if customer.isascii() and customer.isdigit() else ""
    if not number or view in {View.LIST, View.SUMMARY, View.SERIES}:
        return f"{urls.REPORTS}/{period}{_ENDS.get(view, '')}"
    of_customer = f"{urls.REPORTS}/client/{number}/{period}"
    if view is View.TRANSACTIONS:
        return f"{of_customer}/transactions"
    return f"{of_customer}/explain/{quote(field, safe='')}" if field else of_customer


def _period(given: str) -> str:
    """Return the period as a part of a path; what people write between two days is two dots."""
    text = _BETWEEN.sub("..", given[:_PERIOD_CHARS_MAX].strip().lower())
    text = re.sub(r"[\s_]+", "-", text)
    text = re.sub(r"-[qw](?=[0-9])", lambda found: found[0].upper(), text)
    dates = _DATES.fullmatch(text)
    return f"{dates[1]}/{dates[2]}" if dates else quote(text, safe="")


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: path})
