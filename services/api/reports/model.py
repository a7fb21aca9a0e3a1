import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from services.api.refusals import FieldError, Invalid, InvalidInput, NotFound

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID = re.compile(r"[0-9]{1,100}")
_MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Period:
    """Calendar dates from `start` to `end`, both inclusive."""

    start: date
    end: date

    @classmethod
    def parse(cls, start: str, end: str) -> Self:
        """Read two dates `YYYY-MM-DD`; InvalidInput names `from` and `to` where they are wrong."""
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
    """What a report is asked for: one business, a period, and one customer or all of them."""

    business_id: int
    period: Period
    customer_id: int | None = None

    @property
    def ids(self) -> tuple[int, int]:
        """The lowest and the highest id of the customers asked for."""
        return (0, _MAX_ID) if self.customer_id is None else (self.customer_id, self.customer_id)


def check_filter(given: Mapping[str, Any], query: ReportQuery) -> None:
    """Check that `id`, `from` and `to`, where given, say the same as `query`, or InvalidInput."""
    wrong: list[FieldError] = []
    asked = {"id": query.customer_id, "from": query.period.start, "to": query.period.end}
    for field, expected in asked.items():
        if given.get(field) is None:
            continue
        try:
            value = _id(given[field]) if field == "id" else _date(given[field])
        except ValueError as error:
            wrong.append(FieldError(field, str(error)))
            continue
        if value != expected:
            wrong.append(FieldError(field, f"contradicts the path, which says {expected}"))
    if wrong:
        raise InvalidInput(wrong)


def customer_id(digits: str) -> int:
    """Read a customer's id; what is too large for one is NotFound like any other unknown id."""
    significant = digits.lstrip("0") or "0"
    # Python refuses to read numbers of thousands of digits, so their length is looked at first.
    if len(significant) > len(str(_MAX_ID)) or int(significant) > _MAX_ID:
        raise NotFound("customer")
    return int(significant)


def _id(value: object) -> int:
    if isinstance(value, str) and _ID.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("should be a customer's id, a whole number")


def _date(text: object) -> date:
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        raise ValueError("should be a date written YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("is a date that does not exist") from None
