from datetime import datetime
from zoneinfo import ZoneInfoNotFoundError

from services.api.businesses.model import Business
from services.api.core.period_words import period_of_word
from services.api.core.refusals import Invalid
from shared.period import Period


def period_meant(word: str, business: Business, now: datetime) -> Period:
    """Return the days that a word of the period language means for a business at the instant `now`.

    Raises Invalid, about the field `period`, if the word means none.
    """
    try:
        today = business.today(now)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(
            "period", "cannot be determined: the business's timezone is unknown"
        ) from None
    try:
        return period_of_word(word, today, business.fiscal_year_start)
    except ValueError as error:
        raise Invalid("period", str(error)) from None
