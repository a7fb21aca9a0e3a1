"""What people copy from a paper: the hash in groups, amounts as they are printed."""

from decimal import Decimal

import pytest

from services.api.verify import written

DIGEST = bytes(range(32))
HEX = DIGEST.hex()
_FORMS = "0123456789.,"
ARABIC = str.maketrans(_FORMS, "".join(map(chr, (*range(0x660, 0x66A), 0x66B, 0x66C))))
WIDE = str.maketrans(_FORMS, "".join(map(chr, (*range(0xFF10, 0xFF1A), 0xFF0E, 0xFF0C))))


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        " ".join(HEX[place : place + 4] for place in range(0, 64, 4)),
        f" {HEX[:32]}\n{HEX[32:40]}\N{NO-BREAK SPACE}{HEX[40:]}\t",
    ],
)
def test_a_hash_is_read_however_it_is_grouped(text: str) -> None:
    assert written.digest(text) == DIGEST


@pytest.mark.parametrize(
    "text", ["", HEX[:-1], HEX + "0", "g" + HEX[1:], HEX.translate(ARABIC), " " * 9000, "%00", "é"]
)
def test_anything_else_is_no_hash(text: str) -> None:
    assert written.digest(text) is None


@pytest.mark.parametrize("text", ["0", "1234.5", "1234.50", "-0.0001", "000", "9" * 40])
def test_a_plain_amount_is_exact(text: str) -> None:
    assert written.plain_amount(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    *[
        (
            "",
            "-",
            "1,234.50",
            "1e5",
            "NaN",
            "Infinity",
            "+1",
            " 1",
            "1 ",
            "1.",
            ".5",
            "1".translate(ARABIC),
            "9" * 41,
        )
    ],
)
def test_anything_else_is_no_plain_amount(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        written.plain_amount(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0", "0"),
        ("GHS 1,234.50", "1234.50 -1234.50"),
        ("1.234,50 €", "1234.50 -1234.50"),
        ("1 234,50\N{NO-BREAK SPACE}EUR", "1234.50 -1234.50"),
        ("1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567,5", "1234567.5 -1234567.5"),
        ("CHF 1\N{RIGHT SINGLE QUOTATION MARK}234.50", "1234.50 -1234.50"),
        ("₹12,34,567.00", "1234567 -1234567"),
        ("1,234,567", "1234567 -1234567"),
        ("1.234", "1234 -1234 1.234 -1.234"),
        ("1,234", "1234 -1234 1.234 -1.234"),
        ("1,23", "1.23 -1.23"),
        ("1234.5", "1234.5 -1234.5"),
        ("10.0050", "10.005 -10.005"),
        ("\N{MINUS SIGN}50.00", "-50"),
        ("\N{MINUS SIGN}GHS 50.00", "-50"),
        ("GHS -50.00", "-50"),
        ("50.00 GHS in your favour", "50 -50"),
        (f"{'1,234.50'.translate(ARABIC)} د.إ.", "1234.50 -1234.50"),
        ("\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}-" + "12.5".translate(ARABIC), "-12.5"),
        ("1,234.50".translate(WIDE), "1234.50 -1234.50"),
        ("¥1,234", "1234 -1234 1.234 -1.234"),
    ],
)
def test_an_amount_is_read_as_it_is_printed(text: str, values: str) -> None:
    assert written.printed_amounts(text) == set(map(Decimal, values.split()))


@pytest.mark.parametrize(
    "text",
    *[
        (
            *("", "GHS", "1,2,3", "1.234.56,7.8", "12,34.567.890", "--5", "5-", "1 2", "1e5 2"),
            *("1,234,50", "9" * 101, "1.234,567.89", "1/2", "\N{SUPERSCRIPT TWO}x1 3"),
        )
    ],
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match=r"should|separators"):
        written.printed_amounts(text)
