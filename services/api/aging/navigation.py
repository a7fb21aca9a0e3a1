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
    year = Period(aging.as_of.replace(month=1, day=1), aging.as_of)
    names = [each.name for each in columns(aging.options.buckets)]
    return requested.navigation(
        request,
        View.AGING,
        _DOWNLOADS,
        columns=names[1:],
        sortable=frozenset(names),
        sort=str(aging.options.sort),
        base=urls.short_links(Period(date.min, aging.as_of)),
        links={
            "business_name": partial(_customer, urls.short_links(year)),
            **{name: partial(_transactions, names.index(name)) for name in names[2:]},
        },
        paging=_paging(request, total, page),
    )


def _paging(request: web.Request, total: int, page: Page | None) -> Paging:
    if page is None:
        return Paging(total)
    around = page.links(request)
    return Paging(total, around.first, around.prev, around.next, around.last)


def _customer(year: str, row: Sequence[Value]) -> str:
    return f"{year}{row[0]}"


def _transactions(place: int, row: Sequence[Value]) -> str | None:
    """Return the short link of all transactions up to the day, which make up an amount.

    A part of 0 has none: it would only make the page larger.
    """
    return f"{row[0]}/transactions" if row[place] else None
