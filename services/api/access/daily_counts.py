"""Limits on rows that a business adds on one day in UTC, for kinds without another limit."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from services.api.access import store
from services.api.core.refusals import OverQuota
from shared.db.postgres import Connection

MOST: dict[Literal["idempotency keys", "suppressions"], int] = {
    "idempotency keys": 10_000,
    "suppressions": 10_000,
}


async def count(
    conn: Connection, business_id: int, kind: Literal["idempotency keys", "suppressions"]
) -> None:
    """Count one more of `kind` today, in the caller's transaction.

    Raises OverQuota if the limit is reached; the caller's transaction is then rolled back.
    """
    if not await store.count_today(conn, business_id, kind, MOST[kind]):
        now = datetime.now(UTC)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        raise OverQuota(
            f"Limit of {MOST[kind]} new {kind} per day (in UTC) exceeded.",
            retry_after=midnight - now,
        )
