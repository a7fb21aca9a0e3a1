"""Makes foreign text safe to show in one line: at a terminal, in a log, in a message."""


def line(text: str, most: int) -> str:
    """Return `text` as one printable line of at most `most` characters.

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


def _or_space(sign: str) -> str:
    return sign if sign.isprintable() else " "
