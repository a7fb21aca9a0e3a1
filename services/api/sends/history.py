from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from services.api.core.day_or_time import Moment
from services.api.core.paging import NEWEST, OLDEST, Cursor, PageQuery, Place
from services.api.core.parsing import whole_number
from services.api.core.query_values import Text
from services.api.sends.send import Doubt, Send, Status
from shared.mail.address import Address


class HistoryQuery(PageQuery):
    """Which of a business's sends to list, newest first, after `cursor`."""

    customer_id: Annotated[int | None, BeforeValidator(whole_number), Field(ge=0, le=2**63 - 1)] = (
        None
    )
    status: Status | None = None
    recipient: Annotated[Address | None, BeforeValidator(Address.parse)] = None
    q: Text = ""
    batch_id: UUID | None = None
    schedule_id: UUID | None = None
    created_from: Moment = None
    created_to: Moment = None
    cursor: Place = NEWEST


class DoubtsQuery(PageQuery):
    """Which mails in doubt to list, oldest first, after `cursor`."""

    cursor: Place = OLDEST


def place_of_send(send: Send) -> Cursor[UUID]:
    """Return the cursor of the place right after `send` in the history."""
    return Cursor(send.created_at, send.id)


def place_of_doubt(doubt: Doubt) -> Cursor[UUID]:
    """Return the cursor of the place right after `doubt` in the list of mails in doubt."""
    return Cursor(doubt.in_doubt_since, doubt.id)
