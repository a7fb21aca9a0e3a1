from typing import Annotated

from pydantic import BeforeValidator, Field

from services.api.core import bound_cursor
from services.api.core.parsing import whole_number
from services.api.formats.negotiation import Format
from services.api.reports.paging import PER_PAGE_DEFAULT, PER_PAGE_MAX
from services.api.views.options import AmountOptions, FileOptions

# The formats in which a view with pages can be saved.
DOWNLOADS = (Format.CSV, Format.XLSX, Format.JSON)


class PageOptions(AmountOptions, FileOptions):
    """Which page of a view is wanted: each begins at the cursor that the one before returned."""

    per_page: Annotated[
        int | None,
        BeforeValidator(whole_number),
        Field(
            ge=1,
            le=PER_PAGE_MAX,
            description=f"The number of rows of a page, {PER_PAGE_DEFAULT} if absent. CSV and XLSX"
            " have all rows if neither `per_page` nor `cursor` is given.",
        ),
    ] = None
    cursor: Annotated[
        str | None,
        Field(
            pattern=bound_cursor.FORM,
            description="The `next_cursor` of the page before this one, with the same customer,"
            " period and parameters. `Link` has the path of the next page.",
        ),
    ] = None

    @property
    def is_paged(self) -> bool:
        """Whether one page is wanted, and not all rows."""
        return self.per_page is not None or self.cursor is not None

    @property
    def rows(self) -> int:
        """The number of rows of a page."""
        return self.per_page or PER_PAGE_DEFAULT
