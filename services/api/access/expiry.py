import re
from datetime import UTC, date, datetime, timedelta

import click

_DAYS = re.compile(r"[1-9][0-9]{0,4}d")


class Expiry(click.ParamType[datetime]):
    """The expiry of a key: after a number of days (`90d`), or at the end of a day in UTC."""

    name = "90d|date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time; fail if `value` is not one, or is in the past."""
        now, text = datetime.now(UTC), str(value)
        try:
            until = (
                now + timedelta(days=int(text[:-1]))
                if _DAYS.fullmatch(text)
                else datetime.combine(date.fromisoformat(text), datetime.max.time(), UTC)
            )
        except (ValueError, OverflowError):
            self.fail("should be a number of days like 90d, or a date like 2027-03-31", param, ctx)
        if until <= now:
            self.fail("is in the past", param, ctx)
        return until
