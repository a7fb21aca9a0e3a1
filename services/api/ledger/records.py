"""A reader of RFC 4180 with any separator: splits a file into records, and a record into fields."""

import re
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO

_RECORD_BYTES_MAX = 16 * 2**20
_BOM = b"\xef\xbb\xbf"
_IN_QUOTES = rb'"[^"]*+(?:""[^"]*+)*+'


class MalformedError(ValueError):
    """The file is not valid CSV: in the field with index `field` of the record at `line`.

    `is_encoding` is true if the whole file probably has another encoding than UTF-8.
    """

    def __init__(
        self, what: str, *, field: int | None = None, line: int = 0, is_encoding: bool = False
    ) -> None:
        super().__init__(what)
        self.is_encoding = is_encoding
        self.field = field
        self.line = line


@cache
def _opens(separator: str) -> re.Pattern[bytes]:
    """Return the pattern of a line on which a quoted field begins and does not end."""
    mark = re.escape(separator.encode())
    bare = rb'[^"%b\r\n]*+' % mark
    return re.compile(rb'(?:(?:%b|%b")%b)*+%b' % (bare, _IN_QUOTES, mark, _IN_QUOTES))


@cache
def _field(separator: str) -> re.Pattern[str]:
    return re.compile(rf'"(?P<quoted>(?:[^"]|"")*+)"|(?P<bare>[^"{re.escape(separator)}]*+)')


def records(stream: BinaryIO, separator: str = ",", number: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield each record with the number of the line on which it starts, without its line end.

    Blank lines and a byte order mark are skipped. Needs the memory of one record. Raises
    MalformedError if a record has more than 16 MiB. `number` is the number of lines read before.
    """
    while line := stream.readline(_RECORD_BYTES_MAX):
        number += 1
        start, record = number, line.removeprefix(_BOM) if number == 1 else line
        if record.count(b'"') % 2 and _opens(separator).fullmatch(record):
            record, number = _rest_of(stream, record, number)
        if len(record) >= _RECORD_BYTES_MAX:
            raise MalformedError("is longer than 16 MiB: is a quote never closed?", line=start)
        record = record.removesuffix(b"\n").removesuffix(b"\r")
        if record:
            yield start, record


def _rest_of(stream: BinaryIO, first: bytes, number: int) -> tuple[bytes, int]:
    parts, size, is_open = [first], len(first), True
    while is_open and size < _RECORD_BYTES_MAX and (line := stream.readline(_RECORD_BYTES_MAX)):
        parts.append(line)
        size += len(line)
        number += 1
        is_open ^= bool(line.count(b'"') % 2)
    return b"".join(parts), number


def fields(record: bytes, separator: str = ",") -> list[str | None]:
    """Split a record into its values: None for an empty field, "" for an empty quoted one.

    Raises MalformedError if the record is not UTF-8, contains a NUL or breaks RFC 4180.
    """
    try:
        text = record.decode()
    except UnicodeDecodeError as error:
        before = record[: error.start].decode()
        raise MalformedError(
            "is not UTF-8", field=_index(before, separator), is_encoding=True
        ) from None
    if "\0" in text:
        raise MalformedError(
            "contains a NUL character", field=_index(text.partition("\0")[0], separator)
        )
    values: list[str | None] = []
    position, pattern = 0, _field(separator)
    while True:
        match = pattern.match(text, position)
        # The bare alternative matches the empty string, so there is always a match.
        value, position = (
            _value(match, text, separator, len(values)) if match else (None, len(text))
        )
        values.append(value)
        if position == len(text):
            return values
        position += 1


def _value(match: re.Match[str], text: str, separator: str, field: int) -> tuple[str | None, int]:
    if text[match.end() : match.end() + 1] not in ("", separator):
        if match["quoted"] is not None:
            raise MalformedError("continues after its closing quote", field=field)
        if match["bare"]:
            raise MalformedError("has a quote inside, so it must be quoted as a whole", field=field)
        raise MalformedError("opens a quote that is never closed", field=field)
    if match["quoted"] is not None:
        return match["quoted"].replace('""', '"'), match.end()
    if "\r" in match["bare"] or "\n" in match["bare"]:
        raise MalformedError("has a line break inside, so it must be quoted", field=field)
    return match["bare"] or None, match.end()


def _index(before: str, separator: str) -> int:
    # Separators within quotes do not separate fields.
    return re.sub(r'"(?:[^"]|"")*+"?', "", before).count(separator)
