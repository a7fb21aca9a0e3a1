"""The chart of what was billed and paid."""

from decimal import Decimal

import pytest

from tests.shared.statements.snapshots import row
from tests.shared.statements.views import viewed


@pytest.mark.parametrize(
    ("start", "end", "count", "labels"),
    [
        ("2024-11-01", "2024-11-30", 5, ("1 Nov", "25 Nov")),
        ("2024-01-01", "2024-03-31", 13, ("1 Jan", "25 Mar")),
        ("2024-01-01", "2024-12-31", 12, ("Jan 2024", "Dec 2024")),
        ("2022-02-15", "2024-12-31", 12, ("Q1 2022", "Q4 2024")),
        ("2018-01-01", "2024-12-31", 7, ("2018", "2024")),
        ("1900-01-01", "2024-12-31", 13, ("1900–1909", "2020–2029")),
        ("0001-01-01", "9999-12-31", 13, ("1–770", "9241–10010")),
    ],
)
def test_a_chart_has_at_most_thirteen_parts(
    start: str, end: str, count: int, labels: tuple[str, str]
) -> None:
    rows = [row(start, "invoice", "1", "100"), row(end, "payment", "1", "40")]
    bars = viewed(rows, **{"from": start, "to": end})["chart"]["bars"]
    assert len(bars) == count
    assert (bars[0]["label"], bars[-1]["label"]) == labels
    assert (bars[0]["billed"], bars[0]["billed_share"]) == ("100.00", 1.0)
    assert (bars[-1]["paid"], bars[-1]["paid_share"]) == ("40.00", 0.4)


def test_a_chart_adds_up_to_what_was_billed_and_paid() -> None:
    made = viewed()
    assert made["chart"]["legend"] == {"billed": "Billed", "paid": "Paid"}
    for figure, label in (("billed", "14866.7499"), ("paid", "14950.00")):
        amounts = (bar[figure].replace(",", "").replace("−", "-") for bar in made["chart"]["bars"])
        assert sum(map(Decimal, amounts)) == Decimal(label)
    assert "4 Nov: billed 866.75, paid 3,200.00." in made["chart"]["alt"]
    one_day = viewed(
        [row("2024-11-01", "invoice", "1", "1")], **{"from": "2024-11-01", "to": "2024-11-01"}
    )
    assert one_day["chart"] is None
