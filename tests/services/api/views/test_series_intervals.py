from datetime import date, timedelta
from itertools import pairwise

import pytest

from services.api.core.refusals import Invalid
from services.api.reports.series.intervals import Interval, Span, spans
from shared.period import Period


def _shown(start: str, end: str, interval: Interval) -> list[tuple[str, str, bool]]:
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    return [(str(each.start), str(each.end), each.partial) for each in spans(period, interval)]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (
            Interval.MONTH,
            [
                ("2024-01-01", "2024-01-31", True),
                ("2024-02-01", "2024-02-29", False),
                ("2024-03-01", "2024-03-31", False),
                ("2024-04-01", "2024-04-30", True),
            ],
        ),
        (
            Interval.QUARTER,
            [("2024-01-01", "2024-03-31", True), ("2024-04-01", "2024-06-30", True)],
        ),
        (Interval.YEAR, [("2024-01-01", "2024-12-31", True)]),
    ],
)
def test_the_range_cuts_the_first_and_the_last_interval(
    interval: Interval, expected: list[tuple[str, str, bool]]
) -> None:
    assert _shown("2024-01-31", "2024-04-01", interval) == expected


def test_weeks_begin_on_monday_also_between_years() -> None:
    assert _shown("2024-12-29", "2025-01-06", Interval.WEEK) == [
        ("2024-12-23", "2024-12-29", True),
        ("2024-12-30", "2025-01-05", False),
        ("2025-01-06", "2025-01-12", True),
    ]


@pytest.mark.parametrize("interval", Interval)
def test_the_first_and_the_last_days_of_all_have_intervals(interval: Interval) -> None:
    [(start, _, partial)] = _shown("0001-01-01", "0001-01-01", interval)
    assert (start, partial) == ("0001-01-01", interval is not Interval.DAY)
    [(_, end, partial)] = _shown("9999-12-31", "9999-12-31", interval)
    assert (end, partial) == ("9999-12-31", interval is not Interval.DAY)


@pytest.mark.parametrize("interval", Interval)
def test_every_day_of_the_range_is_in_one_interval(interval: Interval) -> None:
    start = date(2023, 11, 17)
    for length in range(0, 800, 13):
        period = Period(start, start + timedelta(days=length))
        found = spans(period, interval)
        assert found[0].start <= period.start <= found[0].end
        assert found[-1].start <= period.end <= found[-1].end
        for one, other in pairwise(found):
            assert other.start == one.end + timedelta(days=1)
        assert not any(each.partial for each in found[1:-1])


def test_a_thousand_intervals_are_the_most() -> None:
    start = date(2020, 1, 1)
    most = Period(start, start + timedelta(days=999))
    assert len(spans(most, Interval.DAY)) == 1000
    assert spans(most, Interval.DAY)[-1] == Span(most.end, most.end, partial=False)
    with pytest.raises(Invalid, match="more than 1000 intervals") as refusal:
        spans(Period(start, start + timedelta(days=1000)), Interval.DAY)
    assert refusal.value.errors[0].field == "interval"
    with pytest.raises(Invalid):
        spans(Period(date.min, date.max), Interval.YEAR)
