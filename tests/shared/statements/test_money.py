from decimal import Decimal

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.statements.money import decimals, figure, money

amounts = st.decimals(
    min_value=-(10**14), max_value=10**14, allow_nan=False, allow_infinity=False, places=4
)


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        ("8311126.41", "GHS", "8,311,126.41"),
        ("900.2", "GHS", "900.20"),
        ("-900.2", "GHS", "−900.20"),
        ("20000", "GHS", "20,000.00"),
        ("0.0001", "GHS", "0.0001"),
        ("1.2300", "GHS", "1.23"),
        ("0", "GHS", "0.00"),
        ("-0", "GHS", "0.00"),
        ("-0.000", "JPY", "0"),
        ("1234567", "JPY", "1,234,567"),
        ("1234.5", "JPY", "1,234.5"),
        ("-1234.5", "KWD", "−1,234.500"),
        ("1E+3", "XOF", "1,000"),
        ("99999999999999.9999", "GHS", "99,999,999,999,999.9999"),
    ],
)
def test_a_figure_is_written_for_people(value: str, currency: str, shown: str) -> None:
    assert figure(Decimal(value), currency) == shown
    assert money(Decimal(value), currency) == f"{currency} {shown}"


@given(amounts, st.sampled_from(["GHS", "JPY", "KWD", "CLF", "USD", "XYZ"]))
def test_no_figure_loses_a_digit_or_its_sign(value: Decimal, currency: str) -> None:
    shown = figure(value, currency)
    assert Decimal(shown.replace(",", "").replace("−", "-")) == value
    assert shown.startswith("−") == (value < 0)
    groups = shown.lstrip("−").partition(".")[0].split(",")
    assert all(len(group) == 3 for group in groups[1:])
    least = {"JPY": 0, "KWD": 3, "CLF": 4}.get(currency, 2)
    decimals = shown.partition(".")[2]
    assert len(decimals) >= least
    assert len(decimals) == least or not decimals.endswith("0")


def test_the_decimals_of_currencies_are_those_of_iso_4217() -> None:
    listed = {each.code: each.exponent for each in iso4217.Currency if each.exponent is not None}
    assert {code: decimals(code) for code in listed} == listed
