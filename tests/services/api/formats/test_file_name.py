from collections.abc import AsyncIterator, Sequence
from datetime import date
from email.message import Message

import pytest

from services.api.businesses.model import Business
from services.api.formats.file_name import disposition
from services.api.formats.negotiation import Format
from services.api.formats.report import Report, Value
from shared.period import Period


async def no_rows() -> AsyncIterator[Sequence[Sequence[Value]]]:
    yield ()


def report(name: str) -> Report:
    return Report(
        kind="income-by-customer",
        title="Income by customer",
        business=Business(7, name, "GHS", "Africa/Accra"),
        period=Period(date(2026, 1, 1), date(2026, 3, 31)),
        columns=(),
        rows=no_rows,
        totals={},
        meta={},
    )


def names(name: str, chosen: Format = Format.CSV) -> tuple[str, str]:
    """Return the plain and the full name of a file, as the standard library reads the header."""
    header = disposition(report(name), chosen)
    assert header.isascii()
    assert header.isprintable()
    plain, full = Message(), Message()
    before, _, after = header.partition("; filename*=")
    plain["Content-Disposition"] = before
    full["Content-Disposition"] = f"attachment; filename*={after}"
    return plain.get_filename() or "", full.get_filename() or ""


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        ("Acme", "acme", "Acme"),
        ("Søren Ångström & Søn", "soren-angstrom-son", "Søren Ångström & Søn"),
        ("Ɛsi Ɔfori Enterprise, Ltd", "esi-ofori-enterprise-ltd", "Ɛsi Ɔfori Enterprise, Ltd"),
        ("Groß ﬁnanz №5", "gross-finanz-no5", "Groß ﬁnanz №5"),
        ("株式会社", "business-7", "株式会社"),
        ("", "business-7", "business-7"),
        ("  \t ", "business-7", "business-7"),
        ("../../etc/passwd", "etc-passwd", "--..-etc-passwd"),
        ('a"; filename="evil.exe', "a-filename-evil-exe", "a-; filename=-evil.exe"),
        ("a\r\nSet-Cookie: x=1", "a-set-cookie-x-1", "a Set-Cookie- x=1"),
        ("a%00b%0d", "a-00b-0d", "a-00b-0d"),
        ("x" * 300, "x" * 28, "x" * 60),
        ("\u202egpj.exe", "gpj-exe", "gpj.exe"),
        ("a\ud800b", "a-b", "a b"),
    ],
)
def test_a_file_is_named_after_report_business_and_period(name: str, plain: str, full: str) -> None:
    rest = "_2026-01-01_2026-03-31.csv"
    assert names(name) == (
        f"income-by-customer_{plain}{rest}",
        f"income-by-customer_{full}{rest}",
    )


@pytest.mark.parametrize("chosen", Format)
def test_only_what_a_browser_shows_is_inline(chosen: Format) -> None:
    header = disposition(report("Acme"), chosen)
    shown = chosen in {Format.PDF, Format.HTML}
    assert header.startswith("inline;" if shown else "attachment;")
    assert f".{chosen.word}" in header
