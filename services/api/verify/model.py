"""What a frozen statement says, for whoever has it on paper."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.core.money import Money
from services.api.core.timestamp import Timestamp
from services.api.formats.json_value import as_json, dumps
from services.api.formats.report import Kind

_URL = {"type": ["string", "null"], "format": "uri"}


class Verified(BaseModel):
    """What a statement says, as it was frozen."""

    model_config = ConfigDict(frozen=True)

    sha256: Annotated[str, Field(description="The hash of the statement, as its PDF shows it.")]
    business: Annotated[str, Field(description="The name of the business whose statement it is.")]
    currency: str
    locale: Annotated[str, Field(description="Its language, as in BCP 47.")]
    start: Annotated[date, Field(alias="from", description="The first day of its period.")]
    end: Annotated[date, Field(alias="to", description="The last day of its period.")]
    generated_at: Annotated[Timestamp, Field(description="When it was made.")]
    closing_balance: Annotated[
        Money, Field(description="What the customer owed; below zero, it was in its favour.")
    ]
    how_to_pay: Annotated[
        str | None, Field(description="How to pay, as it says; null if it does not say.")
    ]
    pay_link: Annotated[
        str | None,
        WithJsonSchema(_URL),
        Field(description="Its link for paying; null if it has none."),
    ]

    def to_json(self) -> bytes:
        """Return the JSON, in which the balance is an exact number."""
        fields = self.model_dump(mode="json", by_alias=True)
        return dumps(fields | {"closing_balance": as_json(Kind.MONEY, self.closing_balance)})
