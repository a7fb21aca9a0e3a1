"""Recognises how a spreadsheet program wrote a file: encoding, separator, a line `sep=`."""

import codecs
import io
import re
from dataclasses import dataclass
from typing import BinaryIO

from services.api.ledger.records import MalformedError

HOW_TO_SAVE = "save it as CSV UTF-8"
_LOOK = 64 * 1024
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SEPARATORS = (",", ";", "\t", "|")  # no heading of ours contains one
# A program that does not know the line writes it back as a cell: quoted, or with empty cells.
_SAID = re.compile(rb'(?:"sep=([,;\t|])"|sep=([,;\t|])\2*)\r?\n', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """A stream in UTF-8 and the separator of its fields; `skipped` lines were read before it."""

    stream: BinaryIO
    separator: str
    skipped: int


def recognise(stream: BinaryIO) -> Dialect:
    """Return how to read a file, from its first bytes.

    Raises MalformedError if it cannot be read without guessing.
    """
    begin = stream.read(_LOOK)
    stream.seek(0)
    if begin.startswith(_WORKBOOKS):
        raise MalformedError(f"is a spreadsheet workbook, not CSV: {HOW_TO_SAVE}", line=1)
    if begin.startswith(_UTF_16):
        stream = io.BufferedReader(_Recoded(stream))
        begin = stream.peek(_LOOK)
    elif begin[1:2] == b"\0" or begin[:1] == b"\0":
        raise MalformedError(f"is UTF-16 without a byte order mark: {HOW_TO_SAVE}", line=1)
    begin = begin.removeprefix(codecs.BOM_UTF8)
    if said := _SAID.match(begin):
        stream.readline()
        return Dialect(stream, (said[1] or said[2]).decode(), 1)
    if b"\r" in begin and b"\n" not in begin:
        raise MalformedError(f"has line ends of old Macintosh programs: {HOW_TO_SAVE}", line=1)
    header = begin.lstrip(b"\r\n").partition(b"\n")[0].decode("utf-8", "replace")
    return Dialect(stream, next((each for each in _SEPARATORS if each in header), ","), 0)


class _Recoded(io.RawIOBase):
    """A stream of UTF-8, converted from UTF-16 with a byte order mark."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        while not self._left:
            block = self._stream.read(_LOOK)
            try:
                self._left = self._decoder.decode(block, final=not block).encode()
            except UnicodeError:
                raise MalformedError("is not valid UTF-16", line=1) from None
            if not block:
                break
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
