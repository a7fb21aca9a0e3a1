"""Payments of one transfer are one row, and the balance stays that of the ledger."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.statements.model import Statement
from shared.statements.transfers import entries
from shared.statements.view import view
from tests.shared.statements.snapshots import frozen, row, snapshot


def paid(number: str, amount: str = "100", day: int = 10, **changes: Any) -> dict[str, Any]:
    given = {"method": "Bank transfer", "channel": "manual", "reference": "TRF 4711"} | changes
    return row(f"2024-11-{day}", "payment", number, amount, **given)


def shown(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    made = view(Statement.parse(frozen(snapshot(rows))))["rows"]
    return [(each["title"], each["change"], each["balance"]) for each in made]


def test_one_transfer_is_one_row_that_names_its_documents() -> None:
    rows = [paid("INV-1"), paid("INV-2", "50.5"), paid("INV-1", "149.5")]
    assert shown(rows) == [("Payment on INV-1, INV-2", "−300.00", "2,900.00")]


def test_what_is_between_them_keeps_a_right_balance() -> None:
    between = row("2024-11-10", "invoice", "INV-9", "40")
    assert shown([paid("INV-1"), between, paid("INV-2")]) == [
        ("Invoice INV-9", "40.00", "3,240.00"),
        ("Payment on INV-1, INV-2", "−200.00", "3,040.00"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        paid("INV-2", day=11),
        paid("INV-2", channel="online"),
        paid("INV-2", method="Cash"),
        paid("INV-2", reference="TRF 4712"),
        row("2024-11-10", "refund", "INV-2", "100", method="Bank transfer", reference="TRF 4711"),
    ],
)
def test_another_transfer_is_another_row(other: dict[str, Any]) -> None:
    assert len(shown([paid("INV-1"), other])) == 2


@pytest.mark.parametrize("reference", [None, "", "  "])
def test_payments_without_a_reference_stay_alone(reference: str | None) -> None:
    rows = [paid("INV-1", reference=reference), paid("INV-2", reference=reference)]
    assert len(shown(rows)) == 2


def test_a_transfer_of_many_documents_names_ten() -> None:
    ((title, _, _),) = shown([paid(f"INV-{n}", "1") for n in range(1, 14)])
    assert title.startswith("Payment on INV-1, INV-2, ")
    assert title.endswith("INV-10 and 3 more")


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["invoice", "credit_note", "payment", "refund"]),
            st.decimals(1, 999, places=2),
            st.sampled_from(["A", "B", ""]),
        ),
        max_size=12,
    ).map(lambda rows: sorted(rows, key=lambda each: each[0]))
)
def test_rows_lead_from_the_opening_to_the_closing_balance(rows: list[Any]) -> None:
    made = [
        row(f"2024-11-0{day}", kind, "1", str(amount), reference=reference)
        for day, kind, amount, reference in rows
    ]
    statement = Statement.parse(frozen(snapshot(made)))
    running, grouped = Decimal(3200), list(entries(statement.transactions))
    for entry in grouped:
        running += entry.change
        assert entry.balance == running
    assert running == statement.closing_balance
    parts = [part for entry in grouped for part in entry.parts]
    assert len(parts) == len(rows)
    assert {id(part) for part in parts} == {id(part) for part in statement.transactions}
