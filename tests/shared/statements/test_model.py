from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from shared.statements.decoding import StatementError
from shared.statements.model import Statement
from tests.shared.statements.snapshots import NOVEMBER, frozen, snapshot


def parsed(**changes: Any) -> Statement:
    return Statement.parse(frozen(snapshot(**changes)))


def test_amounts_are_read_digit_for_digit() -> None:
    content = frozen(snapshot()).replace(b"12480.5", b"98765432109876.5432", 1)
    amount = Statement.parse(content).transactions[0].charge
    assert type(amount) is Decimal
    assert str(amount) == "98765432109876.5432"
    assert type(parsed(opening="3200").opening_balance) is Decimal


def test_a_statement_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        parsed().closing_balance = Decimal(1)  # type: ignore[misc] # that is what must fail


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", "snapshot"),
        (b"\xff\xfe", "snapshot"),
        (b"[]", "snapshot"),
        (b"null", "snapshot"),
        (b"[" * 100_000, "snapshot"),
        (b"{}", "version"),
        (frozen(snapshot(version=3)), "version"),
        (frozen(snapshot(opening_balance="12.50")), "opening_balance"),
        (frozen(snapshot(opening_balance=True)), "opening_balance"),
        (frozen(snapshot()).replace(b"12480.5", b"NaN", 1), "snapshot"),
        (frozen(snapshot()).replace(b"12480.5", b"1e999999999", 1), "transactions.0.charge"),
        (frozen(snapshot(business__currency="cedi")), "business.currency"),
        (frozen(snapshot(to="2024-11-31")), "to"),
        (frozen(snapshot(generated_at="2024-11-30T12:00:00")), "generated_at"),
        (frozen(snapshot()).replace(b'"refund"', b'"gift"'), "transactions.5.kind"),
    ],
)
def test_bytes_that_are_no_statement_are_refused_by_name(content: bytes, place: str) -> None:
    with pytest.raises(StatementError, match=f"^{place}"):
        Statement.parse(content)


def test_a_key_that_was_added_later_is_no_error() -> None:
    assert parsed(report__new_figure=1, note="x").reconciles


def test_a_statement_reconciles_exactly() -> None:
    assert parsed().reconciles
    assert parsed(rows=[], opening="-0.0001").reconciles
    assert not parsed(closing_balance=Decimal("3116.75")).reconciles
    assert not parsed(totals__paid=Decimal("15200.0001")).reconciles


def test_a_running_balance_that_strays_and_returns_does_not_reconcile() -> None:
    content = snapshot()
    content["transactions"][2]["balance"] += 1
    assert not Statement.parse(frozen(content)).reconciles


def test_rows_that_do_not_lead_to_the_closing_balance_do_not_reconcile() -> None:
    content = snapshot()
    content["transactions"].pop()
    assert len(content["transactions"]) == len(NOVEMBER) - 1
    assert not Statement.parse(frozen(content)).reconciles


@pytest.mark.parametrize(
    ("business", "first", "last", "shown"),
    [
        ("Ɔfori & Co", "Ɛsi", "Ɔfori", "Ɔfori & Co"),
        (None, "Ɛsi", "Ɔfori", "Ɛsi Ɔfori"),
        ("  ", "Ɛsi", None, "Ɛsi"),
        ("", "", "Ɔfori", "Ɔfori"),
        (None, " ", None, "Customer 12"),
    ],
)
def test_a_customer_always_has_a_name(
    business: str | None, first: str | None, last: str | None, shown: str
) -> None:
    customer = parsed(
        customer__business_name=business, customer__first_name=first, customer__last_name=last
    ).customer
    assert customer.display_name == shown
