from collections.abc import Sequence
from dataclasses import replace

from services.api.formats.page.names import name_of
from services.api.formats.page.navigation import Bar
from services.api.reports.listing import query
from services.api.reports.listing.model import Listing
from services.api.reports.listing.store import ListStore, Wanted
from services.api.reports.query import EXACT
from services.api.reports.sort import Sort

_BARS = 10
_MOST_BILLED = Sort("amount_due", is_descending=True)


def by_amount_billed(listing: Listing) -> Listing:
    """Return the same list, ordered by what was billed."""
    options = listing.options.model_copy(update={"sort": _MOST_BILLED})
    return replace(listing, options=options)


async def top(lists: ListStore, listing: Listing, version: str) -> Sequence[Bar]:
    """Return the bars of the customers that were billed most, of a list ordered by that."""
    text = query.page_values(_MOST_BILLED, listing.options.basis, is_compared=listing.is_compared)
    page = await lists.page(text, Wanted(_BARS), version, EXACT)
    return [
        Bar(
            name_of(row["id"], row["business_name"], row["first_name"], row["last_name"]),
            row["amount_due"],
            str(row["id"]),
            f"{row['id']}/amount_due",
        )
        for row in page.rows
        if row["amount_due"] > 0
    ]
