"""Text of strangers as one line that is safe to show: at a terminal, in a log, in a message."""


def line(text: str, most: int) -> str:
    """Return `text` as one printable line of at most `most` characters.

    What cannot be printed becomes a space, and of several spaces one stays.
    """
    # Spaces that go may make room for what follows, but not for ever.
    text = text[: 16 * most]
    printable = text if text.isprintable() else "".join(map(_or_space, text))
    return " ".join(printable.split())[:most]


def escaped(text: str, *, kept: str = "") -> str:
    """Return `text` with an escape for each sign that would begin a line or steer a terminal.

    Marks that turn the direction of writing are among them. The signs in `kept` stay.
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in kept else sign.encode("unicode_escape").decode()
        for sign in text
    )


def _or_space(sign: str) -> str:
    return sign if sign.isprintable() else " "
