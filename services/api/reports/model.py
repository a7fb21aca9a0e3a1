import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.api.core.fields import day
from services.api.core.refusals import FieldError, InvalidInput
from shared.period import Period

_ID = re.compile(r"[0-9]{1,100}")

_ID_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": "^[0-9]{1,100}$"},
        {"type": "null"},
    ]
}
_DATE_SCHEMA = {"type": ["string", "null"], "format": "date"}

Stated = TypeVar("Stated", int, date)


@dataclass(frozen=True)
class ReportQuery:
    """The business and the period of a report."""

    business_id: int
    period: Period


def _stated(read: Callable[[object], Stated]) -> BeforeValidator:
    return BeforeValidator(lambda value: None if value is None else read(value))


def _id(value: object) -> int:
    if isinstance(value, str) and _ID.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("should be a customer's id, a whole number")


class FilterBody(BaseModel):
    """The body of the filter call. It may repeat values of the path, which must be the same there.

    Fields that are not listed here are ignored.
    """

    model_config = ConfigDict(frozen=True)

    id: Annotated[
        int | None,
        _stated(_id),
        WithJsonSchema(_ID_SCHEMA),
        Field(description="The customer's id, as a number or as a string of digits."),
    ] = None
    start: Annotated[
        date | None,
        _stated(day),
        WithJsonSchema(_DATE_SCHEMA),
        Field(alias="from", description="The period's first day."),
    ] = None
    end: Annotated[
        date | None,
        _stated(day),
        WithJsonSchema(_DATE_SCHEMA),
        Field(alias="to", description="The period's last day."),
    ] = None

    def check(self, customer: int, period: Period) -> None:
        """Compare the body with the path. Raises InvalidInput if they differ."""
        asked = {
            "id": (self.id, customer),
            "from": (self.start, period.start),
            "to": (self.end, period.end),
        }
        wrong = [
            FieldError(field, f"differs from the path, which has {expected}")
            for field, (stated, expected) in asked.items()
            if stated is not None and stated != expected
        ]
        if wrong:
            raise InvalidInput(wrong)
