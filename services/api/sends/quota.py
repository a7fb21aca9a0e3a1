"""The daily quotas of a business: recipients due, and recipients accepted, on one day in UTC."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import asyncpg

from services.api.core.refusals import OverQuota
from services.api.core.timestamp import end_of_day

_DUE, _ACCEPTED = "due_quota", "daily_quota"
_ACCEPTED_ON_A_DAY = 4  # times the quota; the query that counts has the same factor


@contextmanager
def enforced(now: datetime, due: datetime, quota: int) -> Iterator[None]:
    """Turn the constraint violation of an exceeded quota into OverQuota.

    `due` is the time at which the recipients are due, `now` the database's time. A full day stays
    full until it is over.
    """
    try:
        yield
    except asyncpg.CheckViolationError as error:
        today, day = _day(now), _day(due)
        if error.constraint_name == _DUE:
            bound, full = f"{quota} recipients due on {day}", max(day, today)
        elif error.constraint_name == _ACCEPTED:
            most = _ACCEPTED_ON_A_DAY * quota
            bound, full = f"{most} recipients accepted on {today}", today
        else:
            raise
        raise OverQuota(
            f"The quota of {bound} (in UTC) is exceeded; nothing was stored.",
            retry_after=end_of_day(full) - now,
        ) from None


def left(quota: int, *, due: int, accepted: int) -> int:
    """Return how many more recipients a day has room for.

    `due` are those that are due on the day, `accepted` those that were accepted today.
    """
    return max(0, min(quota - due, _ACCEPTED_ON_A_DAY * quota - accepted))


def _day(time: datetime) -> date:
    return time.astimezone(UTC).date()
