"""What a list says about itself beside its rows: their totals, and what they mean."""

from typing import Any

from services.api.businesses.model import Business
from services.api.formats.json_value import dumps, fields_as_json
from services.api.reports.listing.fields import CHANGE, OWN, PREVIOUS
from services.api.reports.listing.model import Listing
from services.api.reports.listing.store import Totals
from services.api.reports.meta import describe


def meta(listing: Listing, business: Business, version: str) -> dict[str, Any]:
    """Return what the figures of a list mean."""
    described = describe(
        business,
        listing.query.period,
        ledger_version=version,
        basis=listing.options.basis,
        filters=listing.options.given(),
    ).to_fields()
    compared = listing.compared
    if compared is not None:
        described["compared"] = {"from": str(compared.start), "to": str(compared.end)}
    return described


def after_rows(listing: Listing, totals: Totals, described: dict[str, Any]) -> bytes:
    """Return the JSON that follows the rows in an answer with `meta=1`."""
    sums = _sums(listing, totals)
    return b',"totals":%b,"meta":%b' % (dumps(sums), dumps(described))


def _sums(listing: Listing, totals: Totals) -> dict[str, object]:
    amounts = listing.options.amounts
    found = fields_as_json([each.column for each in OWN], totals.sums, amounts)
    if listing.is_compared:
        for name, part in (("previous", PREVIOUS), ("change", CHANGE)):
            of = fields_as_json([each.column for each in part], totals.sums, amounts)
            found[name] = {field.partition(".")[2]: value for field, value in of.items()}
    return found
