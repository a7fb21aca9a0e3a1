"""What the mail's templates do with single texts."""

import re
from collections.abc import Callable
from typing import Any, Final

from markupsafe import Markup, escape

_RUN: Final = re.compile("^ +|  +")
_LONGEST_WHOLE: Final = 18  # characters that fit beside the figures on a small phone
_BREAKABLE: Final = re.compile(rf"(?<!\S)(?=\S*[-/])\S{{2,{_LONGEST_WHOLE}}}(?!\S)")
_WHOLE: Final = '<span style="white-space:nowrap">{}</span>'
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


def whole(text: str) -> Markup:
    """Return HTML in which neither a short text is broken, nor a short word at its hyphens."""
    if len(text) > _LONGEST_WHOLE or " " not in text:
        return unbroken(text)
    return Markup(_WHOLE.format(escape(text)))  # noqa: S704 -- escaped just now


def unbroken(text: str) -> Markup:
    """Return HTML in which no short word is broken at its hyphens, such as an invoice's number."""
    safe = escape(text)
    if "-" not in text and "/" not in text:
        return safe
    return Markup(_BREAKABLE.sub(_kept_whole, str(safe)))  # noqa: S704 -- escaped just now


def _kept_whole(word: re.Match[str]) -> str:
    return _WHOLE.format(word[0])


def _kept(run: re.Match[str]) -> str:
    fixed = "\N{NO-BREAK SPACE}" * (len(run[0]) - 1)
    return f"{fixed} " if run.start() else f"{fixed}\N{NO-BREAK SPACE}"


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "blanks": blanks,
    "justed": justed,
    "lined": lined,
    "ljust": str.ljust,
    "rjust": str.rjust,
    "unbroken": unbroken,
    "whole": whole,
}
