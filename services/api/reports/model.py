import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.api.core.refusals import FieldError, Invalid, InvalidInput, NotFound

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID = re.compile(r"[0-9]{1,100}")
_MAX_ID = 2**63 - 1

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
class Period:
    """Calendar dates from `start` to `end`, both inclusive."""

    start: date
    end: date

    @classmethod
    def parse(cls, start: str, end: str) -> Self:
        """Read two dates `YYYY-MM-DD`.

        Raises InvalidInput that names `from` or `to` if one is wrong.
        """
        dates: dict[str, date] = {}
        wrong: list[FieldError] = []
        for field, text in (("from", start), ("to", end)):
            try:
                dates[field] = _date(text)
            except ValueError as error:
                wrong.append(FieldError(field, str(error)))
        if wrong:
            raise InvalidInput(wrong)
        if dates["from"] > dates["to"]:
            raise Invalid("from", "should not be after to")
        return cls(dates["from"], dates["to"])


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


def _date(text: object) -> date:
    if text == "":
        raise ValueError("is missing; it should be a date written YYYY-MM-DD")
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError("should be a date written YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is a date that does not exist") from None


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
        _stated(_date),
        WithJsonSchema(_DATE_SCHEMA),
        Field(alias="from", description="The period's first day."),
    ] = None
    end: Annotated[
        date | None,
        _stated(_date),
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


def customer_id(digits: str) -> int:
    """Read a customer's id. Raises NotFound if it is too large, as for any other unknown id."""
    significant = digits.lstrip("0") or "0"
    # Python refuses to read numbers of thousands of digits, so their length is checked first.
    if len(significant) > len(str(_MAX_ID)) or int(significant) > _MAX_ID:
        raise NotFound("customer")
    return int(significant)
