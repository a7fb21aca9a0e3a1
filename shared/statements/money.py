"""Amounts of money for people; machines read the exact JSON numbers."""

from decimal import Decimal
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"

# ISO 4217, list one of the maintenance agency (SIX), 2024: the currencies in use whose minor
# unit is not a hundredth.
_MINOR_UNITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def decimals(currency: str) -> int:
    """Return the number of decimals of a currency in ISO 4217."""
    return _MINOR_UNITS.get(currency, 2)


def figure(value: Decimal, currency: str) -> str:
    """Return the amount without its currency, such as 1,234.50, a real minus before it.

    It has the decimals of the currency in ISO 4217, and more if the amount has more; nothing is
    ever rounded, and zero has no sign.
    """
    whole, _, fraction = f"{value.copy_abs():,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(decimals(currency), "0")
    return f"{MINUS if value < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"


def money(value: Decimal, currency: str) -> str:
    """Return the amount with its currency code in front, such as GHS 1,234.50."""
    return f"{currency} {figure(value, currency)}"


def balance(value: Decimal, currency: str) -> str:
    """Return a balance in words from the customer's side, without a sign to misread."""
    amount = money(value.copy_abs(), currency)
    if value > 0:
        return f"{amount} owed"
    return f"{amount} in your favour" if value < 0 else f"{amount}, nothing owed"
