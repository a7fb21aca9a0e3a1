from datetime import date, datetime
from decimal import Decimal

import pytest

from services.api.formats.json_value import Amounts, as_json, dumps, fields_as_json, row_as_json
from services.api.formats.report import Column, Kind

COLUMNS = (
    Column("id", Kind.ID, "Id"),
    Column("owing", Kind.MONEY, "Owing"),
    Column("share", Kind.PERCENT, "Share"),
)


@pytest.mark.parametrize(
    ("amount", "digits"),
    [
        ("100.00", "100"),
        ("0.0000", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("900.20", "900.2"),
        ("-29.9001", "-29.9001"),
        ("99999999999999999999.9999", "99999999999999999999.9999"),
    ],
)
def test_an_amount_keeps_its_digits_and_no_others(amount: str, digits: str) -> None:
    assert dumps([as_json(Kind.MONEY, Decimal(amount))]) == f"[{digits}]".encode()


def test_only_money_is_text_if_amounts_are() -> None:
    row = (7, Decimal("900.20"), Decimal("12.50"))
    written = dumps(row_as_json(COLUMNS, row, Amounts.STRING))
    assert written == b'{"id":7,"owing":"900.2","share":12.5}'


def test_totals_stand_in_the_order_of_the_columns() -> None:
    totals = {"share": Decimal(100), "owing": None}
    assert dumps(fields_as_json(COLUMNS, totals)) == b'{"owing":null,"share":100}'


def test_days_and_times_are_written_as_stored() -> None:
    day, clock = date(1, 1, 1), datetime(2024, 1, 1, 9, 30, 15, 999)  # noqa: DTZ001 -- as stored
    assert as_json(Kind.DATE, day) == "0001-01-01"
    assert as_json(Kind.CLOCK, clock) == "2024-01-01 09:30:15"
