"""The bound on how many recipients a business may have accepted on one day in UTC."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from services.api.refusals import OverQuota

_CONSTRAINT = "daily_quota"


@contextmanager
def enforced(now: datetime, quota: int) -> Iterator[None]:
    """Turn what Postgres says about the quota into OverQuota; `now` is the database's time."""
    try:
        yield
    except asyncpg.CheckViolationError as error:
        if error.constraint_name != _CONSTRAINT:
            raise
        raise OverQuota(
            f"These recipients are more than are left of the {quota} that the business may have on"
            " one day in UTC; nothing was stored.",
            retry_after=_midnight_after(now) - now,
        ) from None


def _midnight_after(now: datetime) -> datetime:
    return datetime.combine(
        now.astimezone(UTC).date() + timedelta(days=1), datetime.min.time(), UTC
    )
