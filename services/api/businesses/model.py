from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Business:
    """What a report needs to know of a business."""

    id: int
    name: str
    currency: str
    timezone: str
    # Month and day (1 to 28) on which each fiscal year begins.
    fiscal_year_start: tuple[int, int] = (1, 1)

    def today(self, now: datetime) -> date:
        """Return the business's calendar day at the instant `now`.

        Raises ZoneInfoNotFoundError if the timezone is unknown.
        """
        return now.astimezone(ZoneInfo(self.timezone)).date()
