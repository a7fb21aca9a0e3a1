from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from services.api.businesses.model import Business
from services.api.formats.report import Report, Value
from services.api.reports.listing.fields import fields
from services.api.reports.listing.model import Listing

Batch = Sequence[Sequence[Value]]


_NONE: Sequence[Batch] = ()


async def _no_rows() -> AsyncIterator[Batch]:
    for batch in _NONE:
        yield batch


def as_report(
    listing: Listing,
    business: Business,
    rows: Callable[[], AsyncIterator[Batch]] = _no_rows,
    *,
    totals: Mapping[str, Value] | None = None,
    meta: Mapping[str, object] | None = None,
) -> Report:
    """Return the list as a table."""
    return Report(
        kind="income-by-customer",
        title="Income by customer",
        business=business,
        period=listing.query.period,
        columns=[each.column for each in fields(is_compared=listing.is_compared)],
        rows=rows,
        totals=totals or {},
        meta=meta or {},
    )
