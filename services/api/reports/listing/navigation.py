from collections.abc import Sequence
from functools import partial

from aiohttp import web

from services.api.formats.negotiation import Format
from services.api.formats.page import requested, urls
from services.api.formats.page.navigation import Bar, Interval, Link, Navigation, Paging, View
from services.api.formats.report import Value
from services.api.reports.basis import Basis
from services.api.reports.links import Links
from services.api.reports.listing.model import Listing
from services.api.reports.options import SORTS

# The columns of the page; a spreadsheet has all.
_SHOWN = (
    "business_name",
    "balance",
    "amount_due",
    "total_paid",
    "owing",
    "invoice_count",
    "average_payment_terms",
)
_EXPLAINED = _SHOWN[1:]
_CHANGES = ("amount_due", "total_paid", "owing")
# The formats in which a page can be saved.
DOWNLOADS = (Format.CSV, Format.XLSX, Format.PDF, Format.JSON, Format.NDJSON)


def navigation(
    request: web.Request,
    listing: Listing,
    total: int,
    around: Links | None,
    bars: Sequence[Bar],
    intervals: Sequence[Interval],
) -> Navigation:
    """Return where a list of `total` rows leads, of which a page has links to those around it."""
    changes = [f"change.{name}" for name in _CHANGES] if listing.is_compared else []
    basis = listing.options.basis
    query = "" if basis is Basis.ACCRUAL else f"?basis={basis}"
    return requested.navigation(
        request,
        View.LIST,
        DOWNLOADS,
        columns=(*_SHOWN, *changes),
        sortable=frozenset(SORTS),
        sort=str(listing.options.sort),
        base=urls.short_links(listing.query.period),
        links={
            "business_name": _customer,
            **{name: _explained(name, query) for name in _EXPLAINED},
        },
        paging=_paging(total, around),
        bars_title="Billed most",
        bars=bars,
        intervals=intervals,
    )


def _paging(total: int, around: Links | None) -> Paging:
    if around is None:
        return Paging(total)
    return Paging(total, around.first, around.prev, around.next, around.last)


def _customer(row: Sequence[Value]) -> str:
    return str(row[0])


def _explained(field: str, query: str) -> Link:
    return partial(_figure, f"{field}{query}")


def _figure(figure: str, row: Sequence[Value]) -> str:
    return f"{row[0]}/{figure}"
