"""Header lines: in ASCII by RFC 2047, folded, and without line breaks of their content."""

import re
import string
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from shared.text import one_line

_WIDTH = 76
_LONGEST_WORD = 60
_FOLD = "\r\n "
_WORD: Final = "=?utf-8?{}?{}?="
_AROUND: Final = len(_WORD.format("q", ""))
_QUOTED: Final = {letter: letter for letter in string.ascii_letters + string.digits + "-!*+/"} | {
    " ": "_"
}


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


# A business's name is the same in many mails.
@lru_cache(maxsize=256)
def _encoded(name: str, text: str) -> str:
    """Return a text as encoded words: the same as `email.header.Header`, in a sixth of its time."""
    quoted = [_QUOTED.get(character) or _quoted(character) for character in text]
    first, others = (_WIDTH - taken - _AROUND for taken in (len(name) + 2, 1))
    sizes = [len(character.encode()) for character in text]
    if 4 * -(-sum(sizes) // 3) < sum(map(len, quoted)):
        parts = _split(sizes, first // 4 * 3, others // 4 * 3)
        words = [b64encode(text[part].encode()).decode() for part in parts]
        return _FOLD.join(_WORD.format("b", word) for word in words)
    parts = _split([len(each) for each in quoted], first, others)
    return _FOLD.join(_WORD.format("q", "".join(quoted[part])) for part in parts)


def _quoted(character: str) -> str:
    return "".join(f"={octet:02X}" for octet in character.encode())


def _split(sizes: list[int], first: int, others: int) -> Iterator[slice]:
    """Yield parts whose sizes add up to `first` at most, and each further one to `others`."""
    begin, used, room = 0, 0, first
    for place, size in enumerate(sizes):
        if used + size > room:
            yield slice(begin, place)
            begin, used, room = place, 0, others
        used += size
    yield slice(begin, len(sizes))
