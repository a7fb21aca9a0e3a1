"""Limits on rows that a business adds on one day in UTC, for kinds without another limit."""

from datetime import UTC, datetime

from services.api.access import store
from services.api.access.store import Limited
from services.api.core.refusals import OverQuota
from services.api.core.timestamp import end_of_day
from shared.db.postgres import Connection
from shared.returns import unmatched

MOST: dict[Limited, int] = {
    "idempotency keys": 10_000,
    "suppressions": 10_000,
    "logos": 50,
    "returned mails": unmatched.MAILS_A_DAY,
    "bytes of returned mails": unmatched.BYTES_A_DAY,
    "batches": 5_000,
    "customers of batches": 1_000_000,
    "changes of schedules": 10_000,
    "times of sends": 10_000,
}


async def count(conn: Connection, business_id: int, kind: Limited, number: int = 1) -> None:
    """Count `number` more of `kind` today, in the caller's transaction.

    Raises OverQuota if the limit is reached; the caller's transaction is then rolled back.
    """
    if not await store.count_today(conn, business_id, kind, MOST[kind], number):
        raise exceeded(kind, await store.database_time(conn))


def exceeded(kind: Limited, now: datetime) -> OverQuota:
    """Return the refusal of one more of `kind` on the day of `now`, the time of the database."""
    return OverQuota(
        f"Limit of {MOST[kind]} new {kind} per day (in UTC) exceeded.",
        retry_after=end_of_day(now.astimezone(UTC).date()) - now,
    )
