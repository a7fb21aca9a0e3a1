"""Limits on rows that a business adds on one day in UTC, for kinds without another limit."""

from datetime import UTC
from typing import Literal

from services.api.access import store
from services.api.core.refusals import OverQuota
from services.api.core.timestamp import end_of_day
from shared.db.postgres import Connection

Limited = Literal["idempotency keys", "suppressions"]

MOST: dict[Limited, int] = {
    "idempotency keys": 10_000,
    "suppressions": 10_000,
}


async def count(conn: Connection, business_id: int, kind: Limited) -> None:
    """Count one more of `kind` today, in the caller's transaction.

    Raises OverQuota if the limit is reached; the caller's transaction is then rolled back.
    """
    if not await store.count_today(conn, business_id, kind, MOST[kind]):
        now = await store.database_time(conn)
        raise OverQuota(
            f"Limit of {MOST[kind]} new {kind} per day (in UTC) exceeded.",
            retry_after=end_of_day(now.astimezone(UTC).date()) - now,
        )
