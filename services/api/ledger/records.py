"""RFC 4180, exactly: a file's bytes cut into records, and a record cut into fields."""

import re
from collections.abc import Iterator
from typing import BinaryIO

_LIMIT = 16 * 2**20
_BOM = b"\xef\xbb\xbf"
_BARE = rb'[^",\r\n]*+'
_IN_QUOTES = rb'"[^"]*+(?:""[^"]*+)*+'
# A line on which a quoted field begins and does not end.
_OPEN = re.compile(rb'(?:(?:%b|%b"),)*+%b' % (_BARE, _IN_QUOTES, _IN_QUOTES))
_FIELD = re.compile(r'"(?P<quoted>(?:[^"]|"")*+)"|(?P<bare>[^",]*+)')


class MalformedError(ValueError):
    """No CSV: `field` is the index of the field at fault, `line` where its record began."""

    def __init__(self, what: str, *, field: int | None = None, line: int = 0) -> None:
        super().__init__(what)
        self.field = field
        self.line = line


def records(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield each record with the number of the line on which it starts, without its line end.

    Blank lines are passed over, a byte order mark too. Takes the memory of one record; one of
    more than 16 MiB raises MalformedError.
    """
    number = 0
    while line := stream.readline(_LIMIT):
        number += 1
        start, record = number, line.removeprefix(_BOM) if number == 1 else line
        if record.count(b'"') % 2 and _OPEN.fullmatch(record):
            record, number = _rest_of(stream, record, number)
        if len(record) >= _LIMIT:
            raise MalformedError("is longer than 16 MiB: is a quote never closed?", line=start)
        record = record.removesuffix(b"\n").removesuffix(b"\r")
        if record:
            yield start, record


def _rest_of(stream: BinaryIO, first: bytes, number: int) -> tuple[bytes, int]:
    parts, size, is_open = [first], len(first), True
    while is_open and size < _LIMIT and (line := stream.readline(_LIMIT)):
        parts.append(line)
        size += len(line)
        number += 1
        is_open ^= bool(line.count(b'"') % 2)
    return b"".join(parts), number


def fields(record: bytes) -> list[str | None]:
    """Cut a record into its values: None where nothing stands, "" where an empty quoted field does.

    Raises MalformedError for what is neither UTF-8 text without NUL nor RFC 4180.
    """
    try:
        text = record.decode()
    except UnicodeDecodeError as error:
        before = record[: error.start].decode()
        raise MalformedError("is not UTF-8", field=_index(before)) from None
    if "\0" in text:
        raise MalformedError("holds a NUL", field=_index(text.partition("\0")[0]))
    values: list[str | None] = []
    position = 0
    while True:
        match = _FIELD.match(text, position)
        # The bare alternative matches the empty string, so there always is a match.
        value, position = _value(match, text, len(values)) if match else (None, len(text))
        values.append(value)
        if position == len(text):
            return values
        position += 1


def _value(match: re.Match[str], text: str, field: int) -> tuple[str | None, int]:
    if text[match.end() : match.end() + 1] not in ("", ","):
        if match["quoted"] is not None:
            raise MalformedError("goes on after its closing quote", field=field)
        if match["bare"]:
            raise MalformedError("has a quote inside, so it must be quoted as a whole", field=field)
        raise MalformedError("opens a quote that is never closed", field=field)
    if match["quoted"] is not None:
        return match["quoted"].replace('""', '"'), match.end()
    if "\r" in match["bare"] or "\n" in match["bare"]:
        raise MalformedError("has a line break inside, so it must be quoted", field=field)
    return match["bare"] or None, match.end()


def _index(before: str) -> int:
    # Commas between quotes separate nothing.
    return re.sub(r'"(?:[^"]|"")*+"?', "", before).count(",")
