"""What the template of a statement needs to know of its texts before it lays them out.

Typst would find it out itself, by laying out each cell twice: that takes half of the time of a
long statement.
"""

from collections.abc import Iterable
from typing import Any, Final

from shared.statements.view import View

# Widths of the letters of the vendored fonts in thousandths of their size, rounded up.
_LATIN: Final = {
    250: "'ijl",
    300: " !,.:;I·\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}",
    350: "|",
    400: "()/[\\]frt{}",
    450: '"',
    500: "*-^_`",
    550: "?Jksxz",
    600: "EFLacehnouvy",
    650: "#$&0123456789PRSTXZbdgpq",
    700: "+<=>ABKVY~\N{MINUS SIGN}\N{EN DASH}",
    750: "CDGHU",
    800: "NOQ",
    850: "%w",
    900: "Mm",
    950: "@W",
}
_MARKS: Final = {1: "\u2068\u2069\u200e\u200f\u061c"}  # of direction, without a width
_ARABIC: Final = {
    520: "اأإآدذرزوؤةهء،",
    800: "جحخلمنئىيعغقطظ" + "".join(map(chr, range(0x0660, 0x066D))),
    1000: "بتثفك",
    1310: "صضسش",
}
_WIDTHS: Final = {
    letter: width
    for part in (_LATIN, _MARKS, _ARABIC)
    for width, letters in part.items()
    for letter in letters
}
# The widest letters of Latin and of what is written like it; for others nothing is known.
_OTHER: Final = 1350
_LAST_OTHER: Final = "\u052f"
_UNKNOWN: Final = 100_000

# Digits have one width; of the Arabic ones this is the widest.
_ZERO: Final = "0"
_WIDEST: Final = "\u0663"
_DIGITS: Final = str.maketrans(
    dict.fromkeys(map(str, range(10)), _ZERO)
    | dict.fromkeys(map(chr, range(0x0660, 0x066A)), _WIDEST)
)

_FIGURES: Final = ("charge", "credit", "change", "balance")
_OPEN_FIGURES: Final = ("total", "amount")


def layout(view: View) -> dict[str, Any]:
    """Return the widths of the rows' texts, and the texts by which each column gets its width.

    A width is in sizes of letters, of title and details apart. It is never below the true one; a
    text with letters that are not known here has one that fits nowhere. Of figures only the whole
    number is returned. `ragged` says if they differ in their decimals.
    """
    rows, items, decimal = view["rows"], view["open_items"] or [], view["decimal"]
    figures = {name: [row[name] for row in rows] for name in _FIGURES}
    figures |= {f"open_{name}": [item[name] for item in items] for name in _OPEN_FIGURES}
    figures["balance"] += view["opening"], view["closing"]
    figures["open_amount"].append(view["open_total"])
    others = [part["amount"] for part in (*view["sums"], *(view["aging"] or ()))]
    decimals = {
        len(figure.partition(decimal)[2])
        for column in (others, *figures.values())
        for figure in column
        if figure
    }
    wholes = {
        name: _shapes(figure.partition(decimal)[0] for figure in column)
        for name, column in figures.items()
    }
    return wholes | {
        "decimals": max(decimals),
        "ragged": len(decimals) > 1,
        "digit": _WIDEST if _WIDEST in view["closing"].translate(_DIGITS) else _ZERO,
        "rows": [[_width(row["title"]), _width(row["details"])] for row in rows],
        "items": [_width(item["title"]) for item in items],
        "date": _shapes(row["date"] for row in rows),
        "open_date": _shapes(item["date"] for item in items),
        "due": _shapes(item["due"] for item in items),
        "overdue": _shapes(item["overdue"] for item in items),
    }


def _shapes(texts: Iterable[str]) -> list[str]:
    """Return the texts with one digit for all, each once: dates and figures have few shapes."""
    return sorted({text.translate(_DIGITS) for text in texts})


def _width(text: str) -> float:
    return sum(_WIDTHS.get(letter) or _other(letter) for letter in text) / 1000


def _other(letter: str) -> int:
    return _OTHER if letter <= _LAST_OTHER else _UNKNOWN
