"""The transitions that returned mails make: to `bounced` and to `complained`."""

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode

_QUERIES = sql.load("shared.deliveries", "returns.sql")


class Change(NamedTuple):
    """What a returned mail is to change: the state, and the address is suppressed if `suppress`.

    `suppress` is the code of the suppression.
    """

    delivery_id: UUID
    state: Literal["bounced", "complained"]
    reason: str
    code: ReasonCode
    suppress: ReasonCode | None = None


class Changed(NamedTuple):
    """What a returned mail has changed."""

    is_moved: bool
    is_suppressed: bool


async def settle(conn: Connection, changes: Sequence[Change]) -> dict[UUID, Changed]:
    """Record that mails bounced or were complained of; return what has changed by delivery.

    No delivery is in two of the changes. Nothing else than the address is suppressed if a mail was
    not handed over, or ended before.
    """
    query = sql.call(
        _QUERIES.settle_returned,
        ids=[each.delivery_id for each in changes],
        states=[each.state for each in changes],
        reasons=[each.reason for each in changes],
        reason_codes=[each.code for each in changes],
        suppressed_codes=[each.suppress for each in changes],
    )
    return {found: Changed(*what) for found, *what in await conn.fetch(*query)}
