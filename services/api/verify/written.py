"""Reads what a person copies from a paper: the hash in groups, and an amount as it is printed."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

#: Characters of the hash in groups, of an amount as it is printed, and of a plain one.
HASH_CHARS_MAX: Final = 200
PRINTED_CHARS_MAX: Final = 100
PLAIN_CHARS_MAX: Final = 40
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PLAIN: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
# An amount between the words, the code or the sign of its currency. Words have no digits.
_AMOUNT: Final = re.compile(r"([^0-9]*)([0-9](?:[0-9.,' ]*[0-9])?)([^0-9]*)")
# Groups of three digits; in India only the last one has three, and the others have two.
_GROUPED: Final = re.compile(r"[0-9]{1,3}([.,' ])(?:[0-9]{2,3}\1)*[0-9]{3}")
_AS_ASCII: Final = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{ARABIC DECIMAL SEPARATOR}": ".",
        "\N{ARABIC THOUSANDS SEPARATOR}": " ",
        "\N{ARABIC COMMA}": ",",
    }
)


def digest(text: str) -> bytes | None:
    """Return the hash, however its hexadecimal digits are grouped; None if it is none."""
    bare = "".join(text[:HASH_CHARS_MAX].split()).lower()
    return bytes.fromhex(bare) if _DIGEST.fullmatch(bare) else None


def plain_amount(text: str) -> Decimal:
    """Return a decimal such as -1234.5. Raises ValueError if the text is none."""
    if len(text) > PLAIN_CHARS_MAX or not _PLAIN.fullmatch(text):
        raise ValueError("should be a decimal such as 1234.50")
    return Decimal(text)


def printed_amounts(text: str) -> frozenset[Decimal]:
    """Return the amounts that a printed one may be; more than one if it can be read in two ways.

    A paper names a balance in the customer's favour without a sign, so that an amount without one
    may be below zero. `1,234` is a thousand and more, or a little more than one. Raises ValueError
    if it is no amount.
    """
    known = text if len(text) <= PRINTED_CHARS_MAX else ""
    ascii_text = "".join(map(_ascii, unicodedata.normalize("NFKC", known))).translate(_AS_ASCII)
    found = _AMOUNT.fullmatch(" ".join(ascii_text.split()))
    if found is None:
        raise ValueError("should be an amount as it is printed, such as 1,234.50")
    before, number, after = found.groups()
    signs = [-1] if "-" in before else [1, -1]
    if "-" in after or before.count("-") > 1:
        raise ValueError("should have at most one sign, before the amount")
    read = [sign * value for value in _readings(number) for sign in signs]
    if not read:
        raise ValueError("has separators in places where no number has them")
    return frozenset(read)


def _ascii(char: str) -> str:
    """Return a digit of any script as one of ASCII; marks of direction are left out."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return "" if unicodedata.category(char) == "Cf" else char


def _readings(number: str) -> Iterator[Decimal]:
    """Yield the values of a number with separators: without, and with a decimal sign at its end."""
    if number.isdigit() or _GROUPED.fullmatch(number):
        yield Decimal(_bare(number))
    whole, sign, fraction = _parted(number)
    if sign and (whole.isdigit() or (_GROUPED.fullmatch(whole) and sign not in whole)):
        yield Decimal(f"{_bare(whole)}.{fraction}")


def _parted(number: str) -> tuple[str, str, str]:
    place = max(number.rfind("."), number.rfind(","))
    fraction = number[place + 1 :]
    if place < 0 or not fraction.isdigit():
        return number, "", ""
    return number[:place], number[place], fraction


def _bare(number: Iterable[str]) -> str:
    return "".join(char for char in number if char.isdigit())
