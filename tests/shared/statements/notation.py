"""Reads figures as a person of a locale does, without the code that writes them.

A figure has a group sign or a decimal sign, or is a bare 0: dates and numbers of days have neither.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

_MARKS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Notation:
    group: str
    decimal: str
    digits: str = "0123456789"

    def plain(self, text: str) -> str:
        """The text with the digits 0 to 9 and without marks of direction."""
        return _MARKS.sub("", text).translate(str.maketrans(self.digits, "0123456789"))

    @property
    def figure(self) -> str:
        """A pattern of one figure in a plain text."""
        group, decimal = re.escape(self.group), re.escape(self.decimal)
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+(?:{decimal}\d+)?|\d+{decimal}\d+|0"
        return (
            rf"(?<![\w.,:/{group}{decimal}-])−?\s?(?<!\d)(?:{whole})(?!\w|[{group}{decimal}.,]\d)"
        )

    def amount(self, figure: str) -> Decimal:
        """The amount of a figure in a plain text."""
        digits = figure.replace(self.group, "").replace(self.decimal, ".")
        return Decimal("".join(digits.replace("−", "-").split()))

    def amounts(self, text: str) -> list[Decimal]:
        """All figures of a text, in order."""
        return [self.amount(found) for found in re.findall(self.figure, self.plain(text))]


NOTATIONS = {
    "en": Notation(",", "."),
    "fr": Notation("\N{NARROW NO-BREAK SPACE}", ","),
    "de": Notation(".", ","),
    "ar": Notation(",", "."),
    "ar-EG": Notation(
        "\N{ARABIC THOUSANDS SEPARATOR}", "\N{ARABIC DECIMAL SEPARATOR}", "٠١٢٣٤٥٦٧٨٩"
    ),
}
