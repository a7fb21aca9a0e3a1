from collections.abc import Sequence
from datetime import date
from functools import partial

from aiohttp import web

from services.api.aging.fields import columns
from services.api.aging.listing import Aging
from services.api.aging.page import Page
from services.api.formats.negotiation import Format
from services.api.formats.page import requested, urls
from services.api.formats.page.navigation import Navigation, Paging, View
from services.api.formats.report import Value
from shared.period import Period

_DOWNLOADS = (Format.CSV, Format.XLSX, Format.JSON)


def navigation(request: web.Request, aging: Aging, total: int, page: Page | None) -> Navigation:
    """Return where the ageing of `total` rows leads."""
    names = [each.name for each in columns(aging.options.buckets)]
    return requested.navigation(
        request,
        View.AGING,
        _DOWNLOADS,
        columns=names[1:],
        sortable=frozenset(names),
        sort=str(aging.options.sort),
        base=urls.short_links(Period(aging.as_of.replace(month=1, day=1), aging.as_of)),
        links={"business_name": _customer, "total": partial(_until, aging.as_of)},
        paging=_paging(request, total, page),
    )


def _paging(request: web.Request, total: int, page: Page | None) -> Paging:
    if page is None:
        return Paging(total)
    around = page.links(request)
    return Paging(total, around.first, around.prev, around.next, around.last)


def _customer(row: Sequence[Value]) -> str:
    return str(row[0])


def _until(end: date, row: Sequence[Value]) -> str:
    """Return the path of all transactions up to a day, which make up what is owed at its end."""
    return f"{urls.REPORTS}/client/{row[0]}/{date.min}/{end}/transactions"
