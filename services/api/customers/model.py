"""The list of customers in requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema

from services.api.core import bound_cursor
from services.api.core.paging import LIMIT_DEFAULT, LIMIT_MAX
from services.api.core.parsing import whole_number
from services.api.core.query_string import QueryString
from services.api.reports.filters import Archived, Search

_LIST = "customers"  # to which a cursor is bound
_ID = WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0})
_PLACE = TypeAdapter(tuple[Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]])
_BEFORE_ALL = -1


class CustomersQuery(QueryString):
    """Which customers to list, by id."""

    q: Search = ""
    archived: Archived = None
    limit: Annotated[
        int,
        BeforeValidator(whole_number),
        Field(ge=1, le=LIMIT_MAX, description="The largest number of items on the page."),
    ] = LIMIT_DEFAULT
    cursor: Annotated[
        str | None,
        Field(
            pattern=bound_cursor.FORM,
            description="The `next_cursor` of the page before this one.",
        ),
    ] = None

    @property
    def after(self) -> int:
        """The id after which the page begins. Raises Invalid if the cursor is none of this list."""
        if self.cursor is None:
            return _BEFORE_ALL
        return bound_cursor.read(self.cursor, _LIST, _PLACE)[0]


class Customer(BaseModel):
    """A customer, without figures."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[int, _ID]
    first_name: str | None
    last_name: str | None
    business_name: str | None
    business_email: Annotated[str | None, Field(description="Where the customer's statements go.")]
    category: Annotated[str, Field(description="Its category, or `Uncategorised`.")]
    category_id: Annotated[int, _ID, Field(description="Its category, or 1 if it has none.")]
    archived: Annotated[Literal[0, 1], Field(description="1 if it is archived, otherwise 0.")]
    locale: Annotated[
        str | None,
        Field(description="BCP 47: the language of its statements; null: that of its business."),
    ]


def cursor_after(customer: Customer) -> str:
    """Return the cursor of the place right after `customer` in the list."""
    return bound_cursor.write(_LIST, [customer.id])
