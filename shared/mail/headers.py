"""Header lines: in ASCII by RFC 2047, folded, and without line breaks of their content."""

import re
from email.header import Header
from functools import lru_cache

from shared.text import one_line

_WIDTH = 76
_LONGEST_WORD = 60
_FOLD = "\r\n "


def plain_header(name: str, value: str) -> str:
    """Return the header of a value that needs no encoding and cannot be folded, with CRLF."""
    fits = len(name) + 2 + len(value) <= _WIDTH
    return f"{name}:{' ' if fits else _FOLD}{value}\r\n"


def text_header(name: str, text: str) -> str:
    """Return the header of free text, such as a subject, with CRLF."""
    text = one_line(text)
    return f"{name}: {_folded(name, text) if _is_plain(text) else _encoded(name, text)}\r\n"


def address_header(name: str, display: str, address: str) -> str:
    """Return the header of one address with a display name, which may be empty, with CRLF."""
    display = one_line(display)
    if not display:
        return plain_header(name, address)
    if _is_plain(display):
        quoted = re.sub(r'(["\\])', r"\\\1", display)
        shown = _folded(name, f'"{quoted}"')
    else:
        shown = _encoded(name, display)
    last = shown.rpartition(_FOLD)[2]
    fits = len(name) + len(last) + len(address) + 5 <= _WIDTH
    return f"{name}: {shown}{' ' if fits else _FOLD}<{address}>\r\n"


def _is_plain(text: str) -> bool:
    return text.isascii() and "=?" not in text and max(map(len, text.split(" "))) <= _LONGEST_WORD


def _folded(name: str, text: str) -> str:
    first, *words = text.split(" ")
    lines, room = [first], _WIDTH - len(name) - 2
    for word in words:
        if len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
            room = _WIDTH - 1
    return _FOLD.join(lines)


# A period's subject and a business's name are the same in many mails.
@lru_cache(maxsize=256)
def _encoded(name: str, text: str) -> str:
    return Header(text, "utf-8", _WIDTH, name).encode(linesep="\r\n")
