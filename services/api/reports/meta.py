"""The description that a report gives of its own figures."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.businesses.model import Business
from services.api.core.timestamp import Timestamp
from services.api.reports.basis import Basis
from shared.period import Period

# The version of the meaning of all figures. A figure that gets another meaning gets a new version.
DEFINITION = "2026-11"

_STATES = {"type": "array", "items": {"type": "string"}}
States = Annotated[Sequence[str], WithJsonSchema(_STATES)]


class Excluded(BaseModel):
    """The states whose documents and payments count in no figure."""

    model_config = ConfigDict(frozen=True)

    documents: States = ("draft", "void")
    payments: States = ("pending", "failed")


class Meta(BaseModel):
    """What the figures of a report mean, and the state of the ledger that they show."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    basis: Annotated[
        Basis,
        Field(
            description="`accrual`: payments on the documents of the period. `cash`: payments that"
            " are dated in the period."
        ),
    ]
    date_field: Annotated[
        Literal["issue_date", "paid_on"],
        Field(description="The date by which payments belong to the period."),
    ]
    start: Annotated[date, Field(alias="from", description="The first day of the period.")]
    end: Annotated[date, Field(alias="to", description="The last day of the period.")]
    inclusive: Annotated[
        Literal[True], Field(description="Both days belong to the period, always.")
    ] = True
    excluded: Excluded = Excluded()
    timezone: Annotated[
        str, Field(description="The IANA timezone that decides which day is today.")
    ]
    currency: Annotated[str, Field(description="The ISO 4217 currency of all amounts.")]
    definition: Annotated[
        str, Field(description="The version of the meaning of all figures.", examples=[DEFINITION])
    ] = DEFINITION
    generated_at: Annotated[Timestamp, Field(description="When the figures were read.")]
    ledger_version: Annotated[
        str,
        Field(
            description="Opaque. Two answers with the same version show the same state of the"
            " ledger."
        ),
    ]
    filters: Annotated[
        dict[str, Any],
        Field(description="The filters that were given, by their parameters' names."),
    ]

    def to_fields(self) -> dict[str, Any]:
        """Return the fields as they stand in JSON, by their names there."""
        return self.model_dump(mode="json", by_alias=True)


def describe(
    business: Business,
    period: Period,
    *,
    ledger_version: str,
    basis: Basis = Basis.ACCRUAL,
    filters: Mapping[str, Any] | None = None,
) -> Meta:
    """Return the description of figures that are read now, at this version of the ledger."""
    return Meta(
        basis=basis,
        date_field=basis.date_field,
        start=period.start,
        end=period.end,
        timezone=business.timezone,
        currency=business.currency,
        generated_at=datetime.now(UTC),
        ledger_version=ledger_version,
        filters=dict(filters or {}),
    )
