"""The list's filters as a JSON object: which customers a batch or a schedule is for."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import ConfigDict, ValidationInfo, field_validator

from services.api.reports.filters import Filters

# Any decimal of so many digits is the shortest text of its own float, which gives it back exactly.
_FLOAT_DIGITS_MAX = 15
_ID = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1}


def amount(value: object) -> str:
    """Return an amount of JSON, a number or a text, as a text of the same digits.

    Raises ValueError if it is neither, or a number of which a float may have lost digits.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("should be an amount, as a number or as text")  # noqa: TRY004 -- pydantic gathers ValueErrors
    if not isinstance(value, float):
        return str(value)
    exact = Decimal(repr(value))
    if not exact.is_finite() or len(exact.as_tuple().digits) > _FLOAT_DIGITS_MAX:
        raise ValueError(
            f"should be written as text: a number keeps no more than {_FLOAT_DIGITS_MAX} digits"
        )
    return format(exact, "f").removesuffix(".0")


def plainest(value: Decimal) -> Decimal:
    """Return an amount in the form that all ways to write it have in common."""
    return value.normalize() + 0


def _flag(value: object) -> str:
    if not isinstance(value, str | int):
        raise ValueError("should be true or false")  # noqa: TRY004 -- pydantic gathers ValueErrors
    return str(int(value)) if isinstance(value, bool) else str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("should be text")  # noqa: TRY004 -- pydantic gathers ValueErrors
    return value


def _ids(value: object) -> list[str]:
    given = value if isinstance(value, list) else [value]
    if not given:
        # A program that found nobody does not mean everybody.
        raise ValueError("should name at least one")
    if any(isinstance(each, bool) or not isinstance(each, str | int) for each in given):
        raise ValueError("should be a whole number, or a list of them")
    return [str(each) for each in given]


# How the query string of the list writes the value of each filter.
_WRITTEN: Final[Mapping[str, Callable[[object], str | list[str]]]] = {
    "category_id": _ids,
    "archived": _flag,
    "q": _text,
    "id": _ids,
    "active": _flag,
    "min_balance": amount,
    "max_balance": amount,
    "min_owing": amount,
}


def _as_json(schema: dict[str, Any]) -> None:
    """Publish flags and ids as what they are in JSON; in a query string they are text."""
    described = schema["properties"]
    for name in ("archived", "active"):
        words = described[name]["description"].replace("1:", "True:").replace("0:", "False:")
        described[name] = {"description": words, "type": "boolean"}
    for name in ("id", "category_id"):
        described[name] |= {"items": _ID, "minItems": 1}


class Audience(Filters):
    """Filters as JSON writes them: numbers, texts, flags, and lists if a filter may repeat.

    A filter that is not listed here is refused, because a misspelt one would mail everybody.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_as_json)

    @field_validator("*", mode="before")
    @classmethod
    def _written(cls, value: object, info: ValidationInfo) -> object:
        """Return a value as the query string of the list writes it; null is an absent filter."""
        name = str(info.field_name)
        return cls.model_fields[name].get_default() if value is None else _WRITTEN[name](value)

    @field_validator("min_balance", "max_balance", "min_owing")
    @classmethod
    def _plainest(cls, value: Decimal | None) -> Decimal | None:
        return None if value is None else plainest(value)
