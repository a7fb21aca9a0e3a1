from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from services.api.core.query_string import QueryString
from services.api.core.query_values import Amount, Flag, Ids, Text

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
