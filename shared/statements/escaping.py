"""HTML as a text of its own type, and the escaping of everything else."""

import html
from typing import Final

_escape: Final = html.escape


class Html(str):
    """A text that is HTML already: whoever makes one has escaped what came from outside."""

    __slots__ = ()


def escaped(value: object) -> str:
    """Return a value as HTML shows it. Only `Html` stays as it is."""
    if type(value) is str:
        return _escape(value)
    return value if isinstance(value, Html) else _escape(str(value))
