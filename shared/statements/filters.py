"""What the mail's templates do with single texts."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from shared.statements.escaping import Html, escaped

_RUN: Final = re.compile("^ +|  +")
_LONGEST_WHOLE: Final = 18  # characters that fit beside the figures on a small phone
_WHOLE: Final = '<span style="white-space:nowrap">{}</span>'
_BETWEEN: Final = " · "
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_POINT: Final = "\N{PUNCTUATION SPACE}"
_DIGIT: Final = "\N{FIGURE SPACE}"
_PLAIN_BLANKS: Final = str.maketrans({_POINT: " ", _DIGIT: " "})


def blanks(text: str) -> str:
    """Return a text in which a browser keeps runs of blanks, but may break lines."""
    return _RUN.sub(_kept, text)


def lined(figure: str, decimals: int, decimal: str) -> str:
    """Return a figure with blanks behind it, so that the decimal points of a column line up.

    `decimals` are the most that a figure of the column has.
    """
    if not decimals or figure[-decimals - 1 : -decimals] == decimal:
        return figure
    whole, point, fraction = figure.rpartition(decimal)
    if not point:
        return figure + _POINT + _DIGIT * decimals
    return f"{whole}{point}{fraction}{_DIGIT * (decimals - len(fraction))}"


def justed(figure: str, decimals: int, decimal: str, width: int) -> str:
    """Return a figure for a column of plain text, in which the decimal points line up."""
    made = lined(figure, decimals, decimal)
    return made.rjust(width) if made is figure else made.translate(_PLAIN_BLANKS).rjust(width)


def listed(parts: Iterable[str], *, isolates: bool) -> Html:
    """Return HTML of texts with dots between them, in which no short word is broken.

    Each text keeps its own direction: on a page from right to left, and if it is not ASCII.
    """
    joined = _BETWEEN.join(parts)
    if not isolates and _is_plain(joined):
        return unbroken(joined)
    shown = [
        f"<bdi>{unbroken(text)}</bdi>" if isolates or not _is_plain(text) else unbroken(text)
        for text in parts
    ]
    return Html(_BETWEEN.join(shown))


def unbroken(text: str) -> Html:
    """Return HTML in which no short word is broken at its hyphens, such as an invoice's number."""
    safe = escaped(text)
    if "-" in text or "/" in text:
        safe = " ".join(
            [
                _WHOLE.format(word)
                if ("-" in word or "/" in word) and 1 < len(word) <= _LONGEST_WHOLE
                else word
                for word in safe.split(" ")
            ]
        )
    return Html(safe)


def _is_plain(text: str) -> bool:
    """Whether a text is ASCII, but for signs of ours that have no direction."""
    return text.replace(_NO_BREAK, "").replace("·", "").isascii()


def _kept(run: re.Match[str]) -> str:
    fixed = _NO_BREAK * (len(run[0]) - 1)
    return f"{fixed} " if run.start() else f"{fixed}{_NO_BREAK}"


def fixed(text: str) -> str:
    """Return a text at whose blanks no line ends."""
    return text.replace(" ", _NO_BREAK)


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "blanks": blanks,
    "fixed": fixed,
    "justed": justed,
    "lined": lined,
    "listed": listed,
    "ljust": str.ljust,
    "rjust": str.rjust,
    "unbroken": unbroken,
}
