import re
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from services.api.core.parsing import whole_number
from services.api.core.query_string import QueryString

_ID_MAX = 2**63 - 1
_IDS_MAX = 200  # of one parameter; a request line has room for few more
_TEXT_CHARS_MAX = 200
_AMOUNT = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,4})?")
_AMOUNT_SCHEMA = {"type": "string", "pattern": "^-?[0-9]{1,14}(\\.[0-9]{1,4})?$"}
_FLAG_SCHEMA = {"type": "integer", "enum": [0, 1]}


def _flag(value: object) -> object:
    if value in {"0", "1"}:
        return value == "1"
    if isinstance(value, bool):
        return value
    raise ValueError("should be 0 or 1")


def _amount(value: object) -> object:
    if isinstance(value, str):
        if not _AMOUNT.fullmatch(value):
            raise ValueError(
                "should be an amount of at most 14 digits before the point and 4 after it"
            )
        return Decimal(value)
    return value


def _text(value: object) -> object:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("should not contain a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("contains an unpaired surrogate") from None
    return value


Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema(_FLAG_SCHEMA)]
Id = Annotated[int, BeforeValidator(whole_number), Field(ge=0, le=_ID_MAX)]
Ids = Annotated[tuple[Id, ...], Field(max_length=_IDS_MAX)]
Text = Annotated[str, StringConstraints(max_length=_TEXT_CHARS_MAX), BeforeValidator(_text)]
Amount = Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema(_AMOUNT_SCHEMA)]


Search = Annotated[
    Text,
    Field(
        description="Only customers whose `business_name`, `first_name`, `last_name` or"
        " `business_email` contains this text, in upper or lower case.",
    ),
]
Archived = Annotated[
    Flag | None,
    Field(description="1: only archived customers. 0: only those that are not archived."),
]


class CustomerFilters(QueryString):
    """Which customers a report has, by what they are. Every filter that is given has to be met."""

    FILTERS: ClassVar[tuple[str, ...]] = ("category_id", "archived", "q", "id")

    category_id: Annotated[
        Ids,
        Field(
            description="Only customers of this category; 1 includes those without one. May be"
            " repeated: then a customer of any of them."
        ),
    ] = ()
    archived: Archived = None
    q: Search = ""
    id: Annotated[
        Ids, Field(description="Only this customer. May be repeated: then any of them.")
    ] = ()

    def given(self) -> dict[str, Any]:
        """Return the filters in use, as they stand in JSON, by the names of their parameters."""
        found: dict[str, Any] = {}
        for name in self.FILTERS:
            value = getattr(self, name)
            # Equal to False is an amount of 0, too.
            is_absent = value is None or value in ((), "")
            if is_absent or (value is False and name != "archived"):
                continue
            found[name] = _plain(value)
        return found


class Filters(CustomerFilters):
    """Which customers a report has, by what they are and by their figures."""

    FILTERS = (*CustomerFilters.FILTERS, "active", "min_balance", "max_balance", "min_owing")

    active: Annotated[
        Flag,
        Field(
            description="1: only customers with an issued document dated in the period, or a"
            " settled payment on an issued document with `paid_on` in the period."
        ),
    ] = False
    min_balance: Annotated[
        Amount | None, Field(description="Only customers with at least this `balance`.")
    ] = None
    max_balance: Annotated[
        Amount | None, Field(description="Only customers with at most this `balance`.")
    ] = None
    min_owing: Annotated[
        Amount | None, Field(description="Only customers with at least this `owing`.")
    ] = None

    @property
    def depend_on_period(self) -> bool:
        """Whether they may choose other customers for another period."""
        return self.active or self.min_owing is not None

    @field_validator("max_balance")
    @classmethod
    def _not_below_min(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        least = info.data.get("min_balance")
        if value is not None and least is not None and value < least:
            raise ValueError("should be at least min_balance")
        return value


def _plain(value: object) -> Any:
    match value:
        case bool():
            return int(value)
        case tuple():
            return sorted(set(value))
        case Decimal():
            return format(value, "f")
        case _:
            return value
