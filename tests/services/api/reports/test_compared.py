from datetime import date

import pytest

from services.api.core.refusals import Invalid
from services.api.reports.compared import compared_period
from services.api.reports.options import Compare
from shared.period import Period


def period(text: str) -> Period:
    start, end = text.split("..")
    return Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("asked", "before"),
    [
        ("2024-03-01..2024-03-31", "2024-02-01..2024-02-29"),
        ("2024-02-01..2024-02-29", "2024-01-01..2024-01-31"),
        ("2024-01-01..2024-12-31", "2023-01-01..2023-12-31"),
        ("2024-01-01..2024-03-31", "2023-10-01..2023-12-31"),
        ("2024-03-15..2024-04-14", "2024-02-15..2024-03-14"),
        # The 28th is a day of every month, so the month counts; the 29th is not, so the days count.
        ("2024-02-28..2024-03-27", "2024-01-28..2024-02-27"),
        ("2024-04-29..2024-05-28", "2024-03-30..2024-04-28"),
        ("2024-03-01..2024-03-30", "2024-01-31..2024-02-29"),
        ("2024-03-01..2024-03-01", "2024-02-29..2024-02-29"),
        ("2024-03-04..2024-03-10", "2024-02-26..2024-03-03"),
        ("9999-01-01..9999-12-31", "9998-01-01..9998-12-31"),
    ],
)
def test_the_previous_period_is_as_long(asked: str, before: str) -> None:
    assert compared_period(period(asked), Compare.PREVIOUS_PERIOD) == period(before)


@pytest.mark.parametrize(
    ("asked", "before"),
    [
        ("2024-03-01..2024-03-31", "2023-03-01..2023-03-31"),
        ("2024-02-01..2024-02-29", "2023-02-01..2023-02-28"),
        ("2025-02-01..2025-02-28", "2024-02-01..2024-02-29"),
        ("2024-02-01..2024-02-28", "2023-02-01..2023-02-28"),
        ("2024-02-29..2024-03-30", "2023-02-28..2023-03-30"),
    ],
)
def test_a_year_before_the_end_of_a_month_stays_one(asked: str, before: str) -> None:
    assert compared_period(period(asked), Compare.PREVIOUS_YEAR) == period(before)


@pytest.mark.parametrize(
    ("asked", "compare"),
    [
        ("0001-01-01..0001-12-31", Compare.PREVIOUS_PERIOD),
        ("0001-01-05..0001-01-20", Compare.PREVIOUS_PERIOD),
        ("0001-06-01..0002-06-01", Compare.PREVIOUS_YEAR),
        ("0001-01-01..9999-12-31", Compare.PREVIOUS_PERIOD),
    ],
)
def test_before_the_first_year_there_is_nothing_to_compare_with(
    asked: str, compare: Compare
) -> None:
    with pytest.raises(Invalid, match="compare: reaches back"):
        compared_period(period(asked), compare)
