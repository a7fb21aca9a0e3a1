"""Foreign text, made safe for the place where it is shown.

In a mail or on a page: one_line() and lines(), which keep the letters of every script. In a log, an
answer or a list: printable_line(), which keeps only what can be seen. At a terminal: escaped(),
which loses nothing.
"""

import re
import unicodedata

_BREAKS = re.compile("\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
# With these go the halves of surrogate pairs, which no encoding could carry.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
# A bidirectional override in a name can turn a figure beside it around, so none is kept; the
# letters of right-to-left scripts carry their direction themselves.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
# Letters without a shape: fillers of Korean, and the empty pattern of Braille.
_SHAPELESS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u180b\u180c\u180d\u180f")


def one_line(text: str) -> str:
    """Return `text` as one line, without control characters and marks of direction.

    Runs of spaces become one.
    """
    # A character that is printable is neither a control nor a mark of direction, and of those that
    # are blank only the space.
    if text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]:
        return text
    return " ".join(
        (text if text.isprintable() else _CONTROLS.sub(" ", _BIDI.sub("", text))).split()
    )


def lines(text: str) -> list[str]:
    """Return the lines of `text`, without control characters, marks of direction or blank ends.

    A tab becomes the spaces up to the next column of eight.
    """
    parts = _BREAKS.split(_BIDI.sub("", text))
    plain = [_CONTROLS.sub(" ", part.expandtabs()).rstrip() for part in parts]
    filled = [place for place, part in enumerate(plain) if part]
    return plain[filled[0] : filled[-1] + 1] if filled else []


def printable_line(text: str, most: int) -> str:
    """Return `text` as one line of at most `most` characters, each of which can be seen.

    Unprintable characters become spaces, and runs of spaces become one.
    """
    # Removed spaces make room for more text, but the input must be cut somewhere.
    text = text[: 16 * most]
    printable = text if text.isprintable() else "".join(map(_or_space, text))
    return " ".join(printable.split())[:most]


def escaped(text: str, *, kept: str = "") -> str:
    """Return `text` with escapes for characters that would begin a line or control a terminal.

    This includes marks that change the direction of writing. Characters in `kept` stay.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in kept else sign.encode("unicode_escape").decode()
        for sign in text
    )


def visible(text: str) -> str:
    """Return the text, or an empty one if none of its characters can be seen."""
    plain = text.isascii() and text.isprintable() and not text.isspace()
    return text if plain or any(map(_has_shape, text)) else ""


def cut(text: str, most: int) -> str:
    """Return `text` if it has at most `most` characters, else so many that end in an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _or_space(sign: str) -> str:
    return sign if sign.isprintable() else " "


def _has_shape(sign: str) -> bool:
    return sign not in _SHAPELESS and unicodedata.category(sign)[0] not in "ZC"
