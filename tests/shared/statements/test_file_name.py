import datetime as dt

import pytest

from shared.period import Period
from shared.statements.file_name import file_name

JUNE = Period(dt.date(2026, 6, 1), dt.date(2026, 6, 30))


@pytest.mark.parametrize(
    ("business", "customer", "names"),
    [
        ("Kente & Co", "Ɔfori Daughters", "kente-co-ofori-daughters"),
        ("Stadtwerke Musterhausen Energie GmbH", "Größe AG", "stadtwerke-musterhau-grosse-ag"),
        ("布", "Ann Ny", "布-ann-ny"),
        ("متجر الأمل", "A1", "متجر-الأمل-a1"),
        ("ร้านเจริญ", "हिन्दी", "ร้านเจริญ-हिन्दी"),
        ("🎉", "../../etc/passwd\r\n", "etc-passwd"),
        ("", "\u202egnp.exe", "gnp-exe"),
    ],
)
def test_a_file_is_named_after_both_sides_and_the_period(
    business: str, customer: str, names: str
) -> None:
    made = file_name(business, customer, JUNE)
    assert made == f"statement-{names}-2026-06-01-2026-06-30"


@pytest.mark.parametrize("sign", ["x", "ß", "é", "布", "\u0301", "🎉"])
def test_no_name_makes_a_file_name_long(sign: str) -> None:
    assert len(file_name(sign * 100_000, sign * 100_000, JUNE)) <= 76


def test_files_of_two_customers_or_periods_have_two_names() -> None:
    half = Period(JUNE.start, dt.date(2026, 6, 15))
    names = {
        file_name("Kente", customer, period)
        for customer in ("Ann", "Ben")
        for period in (JUNE, half)
    }
    assert len(names) == 4
