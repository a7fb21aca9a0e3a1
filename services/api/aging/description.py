from datetime import date
from typing import Annotated

from pydantic import Field

from services.api.aging.listing import Aging
from services.api.businesses.model import Business
from services.api.reports.meta import Meta, describe
from shared.period import Period

_LATER_EDITS = (
    "Documents and payments are counted by their dates, as the ledger has them now: what was"
    " entered, changed or deleted after that day is included."
)


class AgingMeta(Meta):
    """What the figures of the ageing mean, and the state of the ledger that they show."""

    as_of: Annotated[date, Field(description="The day at whose end the receivables are shown.")]
    buckets: Annotated[
        list[int], Field(description="The last day past due of each bucket but the last.")
    ]
    later_edits: Annotated[
        str, Field(description="How the past is shown.", examples=[_LATER_EDITS])
    ] = _LATER_EDITS


def meta(aging: Aging, business: Business, version: str) -> AgingMeta:
    """Return what the figures of the ageing mean, at this version of the ledger."""
    described = describe(
        business,
        Period(date.min, aging.as_of),
        ledger_version=version,
        filters=aging.options.given(),
    )
    return AgingMeta(**dict(described), as_of=aging.as_of, buckets=list(aging.options.buckets.ends))
