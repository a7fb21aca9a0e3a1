from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from shared.process.settings import SendSettings

_LAST_TIME = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Terms:
    """The operator's limits on a send: its recipients, its lateness, and the quota of a day.

    `daily_quota` is the number of recipients of one business that may be due on one day in UTC.
    """

    max_recipients: int
    max_lateness: timedelta
    daily_quota: int

    @classmethod
    def of(cls, settings: SendSettings) -> Self:
        """Return the limits that the operator set."""
        return cls(settings.max_recipients, settings.max_lateness, settings.daily_quota)

    def expiry(self, due: datetime) -> datetime:
        """Return the time after which a mail due then does not go out any more."""
        is_ahead = self.max_lateness < _LAST_TIME - due
        return due + self.max_lateness if is_ahead else _LAST_TIME
