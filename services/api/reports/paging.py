from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from services.api.core import bound_cursor
from services.api.core.parsing import whole_number
from services.api.core.query_string import QueryString

PER_PAGE_DEFAULT, PER_PAGE_MAX = 100, 1000
_PAGE_MAX = 10**9


class Paging(QueryString):
    """Which page of a report is wanted: by a cursor, or by its number."""

    per_page: Annotated[
        int | None,
        BeforeValidator(whole_number),
        Field(
            ge=1,
            le=PER_PAGE_MAX,
            description="The number of rows of a page; without it, and without `cursor` and"
            f" `page`, the answer has all rows. With one of those, {PER_PAGE_DEFAULT} if absent."
            " Alone it asks for the first page, whose links have cursors.",
        ),
    ] = None
    cursor: Annotated[
        str | None,
        Field(
            pattern=bound_cursor.FORM,
            description="The place of a page, from a `Link` of another page with the same period,"
            " `sort`, `basis` and filters. A row whose sort value stays the same meanwhile appears"
            " on exactly one of the pages.",
        ),
    ] = None
    page: Annotated[
        int | None,
        BeforeValidator(whole_number),
        Field(
            ge=1,
            le=_PAGE_MAX,
            description="The number of a page, from 1. While the ledger changes, a row may appear"
            " on two pages or on none.",
        ),
    ] = None

    @field_validator("page")
    @classmethod
    def _without_cursor(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("cursor") is not None:
            raise ValueError("should not be given beside cursor")
        return value

    @property
    def is_paged(self) -> bool:
        """Whether one page is wanted, and not all rows."""
        return (self.per_page, self.cursor, self.page) != (None, None, None)

    @property
    def rows(self) -> int:
        """The number of rows of a page."""
        return self.per_page or PER_PAGE_DEFAULT
