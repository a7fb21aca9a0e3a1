"""The period of each occurrence: what a word of the period language means on its local date.

A word that names its days, such as `2026-Q1`, means the same ones at each occurrence.
"""

from collections.abc import Iterable
from datetime import date

from services.api.core.period_words import period_of_word


def check(word: str, days: Iterable[date], fiscal_year_start: tuple[int, int]) -> None:
    """Raise ValueError if `word` means no period on one of these days, which are in order.

    `this-month..last-week`, for one, ends before it begins in the first days of many months, and
    `last-month..2026-12` does so from February 2027 on.
    """
    for number, day in enumerate(days):
        try:
            period_of_word(word, day, fiscal_year_start)
        except ValueError as error:
            on = f"on {day}, an occurrence of the schedule, it " if number else ""
            raise ValueError(f"{on}{error}") from None
