"""Amounts of money for people; machines read the exact JSON numbers."""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_WIDE: Final = 14  # characters

# ISO 4217, list one of the maintenance agency (SIX), 2024: the currencies in use whose minor
# unit is not a hundredth. CLDR has other digits for some, by what is in use.
_MINOR_UNITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def decimals(currency: str) -> int:
    """Return the number of decimals of a currency in ISO 4217."""
    return _MINOR_UNITS.get(currency, 2)


def plain(value: Decimal, currency: str) -> str:
    """Return the amount without separators of groups, such as 1234.50, a minus of ASCII before it.

    It has the decimals of the currency in ISO 4217, and more if the amount has more.
    """
    whole, fraction = _parts(f"{value.copy_abs():f}", currency)
    return f"{'-' if value < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"


@dataclass(frozen=True, slots=True)
class Notation:
    """How a locale writes numbers and money.

    Figures have groups of three before the decimal sign; if `pairs`, groups of two before the last
    three. `digits` are ten characters, or empty for 0 to 9. `minus` is a real minus, with a mark of
    direction before it if the script needs one. The currency stands before the figure if
    `code_first`; its code is always apart from the figure, its sign if `sign_apart`.
    """

    decimal: str = "."
    group: str = ","
    minus: str = MINUS
    digits: str = ""
    pairs: bool = False
    code_first: bool = True
    sign_apart: bool = False

    def figure(self, value: Decimal, currency: str) -> str:
        """Return the amount without its currency, such as 1,234.50, a real minus before it.

        It has the decimals of the currency in ISO 4217, and more if the amount has more; nothing is
        ever rounded, and zero has no sign.
        """
        whole, _, fraction = f"{value.copy_abs():,f}".partition(".")
        if len(fraction) != (places := decimals(currency)):
            fraction = fraction.rstrip("0").ljust(places, "0")
        if self.pairs:
            whole = _in_pairs(whole)
        if self.group != ",":
            whole = whole.replace(",", self.group)
        shown = f"{whole}{self.decimal}{fraction}" if fraction else whole
        if self.digits:
            shown = self.in_digits(shown)
        return self.minus + shown if value < 0 else shown

    def money(self, value: Decimal, currency: str, sign: str | None = None) -> str:
        """Return the amount with its currency, such as GHS 1,234.50 or 1.234,50 €.

        `sign` is the currency's, or None for its code.
        """
        shown = self.figure(value, currency)
        apart = self.sign_apart or sign is None or sign[-1].isalpha()
        # An amount as wide as a phone may be broken before its currency.
        space = " " if len(shown) > _WIDE else _NO_BREAK
        between = space if apart else ""
        name = sign or currency
        return f"{name}{between}{shown}" if self.code_first else f"{shown}{between}{name}"

    def number(self, count: int) -> str:
        """Return a count, such as 1,234."""
        whole = f"{count:,}"
        if self.pairs:
            whole = _in_pairs(whole)
        return self.in_digits(whole.replace(",", self.group))

    def in_digits(self, text: str) -> str:
        """Return the text with its digits as the locale writes them."""
        return text.translate(_table(self.digits)) if self.digits else text


ENGLISH: Final = Notation()


def figure(value: Decimal, currency: str) -> str:
    """Return the amount without its currency as English writes it, such as 1,234.50."""
    return ENGLISH.figure(value, currency)


def money(value: Decimal, currency: str) -> str:
    """Return the amount with its currency code in front, such as GHS 1,234.50."""
    return f"{currency} {figure(value, currency)}"


def _parts(text: str, currency: str) -> tuple[str, str]:
    whole, _, fraction = text.partition(".")
    return whole, fraction.rstrip("0").ljust(decimals(currency), "0")


def _in_pairs(whole: str) -> str:
    """Return a whole number with the groups of India, such as 12,34,567."""
    digits = whole.replace(",", "")
    head, last = digits[:-3], digits[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), last])


@lru_cache
def _table(digits: str) -> dict[int, int]:
    return str.maketrans("0123456789", digits)
