"""Web addresses in a text that a person wrote."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# http and https only: other schemes can run a program or a script.
_ADDRESS: Final = re.compile(r"\bhttps?://\w[^\s<>\"'`{}|\\^]{0,2000}", re.IGNORECASE)
_AFTER_IT: Final = ".,;:!?…»”\N{RIGHT SINGLE QUOTATION MARK}*_"
_BRACKETS: Final = {")": "(", "]": "["}


class Piece(NamedTuple):
    """A part of a line: a web address if `url`, else text."""

    text: str
    url: bool


def pieces(line: str) -> list[Piece]:
    """Return a line in its pieces; together they are the line."""
    if "://" not in line:
        return [Piece(line, url=False)]
    return list(_pieces(line))


def _pieces(line: str) -> Iterator[Piece]:
    end = 0
    for found in _ADDRESS.finditer(line):
        address = _trimmed(found[0])
        if line[end : found.start()]:
            yield Piece(line[end : found.start()], url=False)
        yield Piece(address, url=True)
        end = found.start() + len(address)
    if line[end:]:
        yield Piece(line[end:], url=False)


def _trimmed(address: str) -> str:
    """Return an address without the punctuation of the sentence around it."""
    while address:
        last = address[-1]
        opening = _BRACKETS.get(last)
        unopened = opening and address.count(last) > address.count(opening)
        if last not in _AFTER_IT and not unopened:
            break
        address = address[:-1]
    return address
