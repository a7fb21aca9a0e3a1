"""Which batches, and which customers of a batch or a frozen list, a caller asks for."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, TypeAdapter

from services.api.batches.model import Batch, Status
from services.api.core import bound_cursor
from services.api.core.day_or_time import Moment
from services.api.core.paging import NEWEST, Cursor, PageQuery, Place

_PLACE = TypeAdapter(tuple[Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]])
_BEFORE_ALL = -1


class BatchesQuery(PageQuery):
    """Which of a business's batches to list, newest first, after `cursor`."""

    status: Status | None = None
    schedule_id: UUID | None = None
    created_from: Moment = None
    created_to: Moment = None
    cursor: Place = NEWEST


class CustomersQuery(PageQuery):
    """Which customers of a batch or a frozen list to list, by id, after `cursor`."""

    cursor: Annotated[str | None, Field(pattern=bound_cursor.FORM)] = None

    def after(self, of: UUID) -> int:
        """Return the id after which the page begins.

        Raises Invalid if the cursor is none of this batch or list.
        """
        if self.cursor is None:
            return _BEFORE_ALL
        return bound_cursor.read(self.cursor, _list(of), _PLACE)[0]


class SkippedQuery(CustomersQuery):
    """Which skipped customers of a batch to list, by id, after `cursor`."""

    reason_code: Annotated[str | None, Field(pattern="^[a-z][a-z0-9_]{0,63}$")] = None


def place_of_batch(batch: Batch) -> Cursor[UUID]:
    """Return the cursor of the place right after `batch` in the history."""
    return Cursor(batch.created_at, batch.id)


def place_of_customer(of: UUID, customer_id: int) -> str:
    """Return the cursor of the place right after a customer of a batch or a frozen list."""
    return bound_cursor.write(_list(of), [customer_id])


def _list(of: UUID) -> str:
    return f"customers of {of}"
