from datetime import date

import pytest

from services.api.businesses.model import Business
from services.api.reports.basis import Basis
from services.api.reports.meta import describe
from shared.period import Period

BUSINESS = Business(1, "Trading", "GHS", "Africa/Accra")
MARCH = Period(date(2024, 3, 1), date(2024, 3, 31))


@pytest.mark.parametrize(
    ("basis", "date_field"), [(Basis.ACCRUAL, "issue_date"), (Basis.CASH, "paid_on")]
)
def test_meta_says_what_the_figures_mean(basis: Basis, date_field: str) -> None:
    told = describe(
        BUSINESS, MARCH, ledger_version="1.7", basis=basis, filters={"archived": 0}
    ).to_fields()

    assert told.pop("generated_at").endswith("Z")
    assert told == {
        "basis": basis,
        "date_field": date_field,
        "from": "2024-03-01",
        "to": "2024-03-31",
        "inclusive": True,
        "excluded": {"documents": ["draft", "void"], "payments": ["pending", "failed"]},
        "timezone": "Africa/Accra",
        "currency": "GHS",
        "definition": "2026-11",
        "ledger_version": "1.7",
        "filters": {"archived": 0},
    }
