"""Reads and checks the rows of an import file, and yields them as Postgres reads them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from services.api.ledger.dialects import HOW_TO_SAVE, Dialect, recognise
from services.api.ledger.faults import Faults, quoted
from services.api.ledger.files import Column, LedgerFile
from services.api.ledger.kinds import TEXT
from services.api.ledger.records import MalformedError, fields, records

_BLOCK = 256 * 1024
_LONGEST_HEADER = 64 * 1024  # bytes; real headers have 250
_QUOTED_TEXT = r'"(?=[^"]|"")[^"\0]*+(?:""[^"\0]*+)*+"'


class Rows:
    """The rows of one open file; everything wrong with them is added to `faults`.

    `columns` is empty if the header is wrong. `doubts` has the lines of values that are accepted
    with a warning, by column.
    """

    def __init__(self, file: LedgerFile, stream: BinaryIO, faults: Faults) -> None:
        self._file = file
        self._faults = faults
        self.separator = ","
        self.columns: Sequence[Column] = ()
        self.count = 0
        self.doubts: dict[str, list[int]] = {}
        self._unused = 0  # empty columns at the end, which spreadsheets leave behind
        try:
            dialect = recognise(stream)
        except MalformedError as error:
            self._note(error.line, "file", str(error))
            return
        self.separator = dialect.separator
        self._records = self._well_formed(dialect)
        self.columns = self._header()

    def blocks(self) -> Iterator[bytes]:
        """Yield the rows as CSV for COPY, each with its line number put in front.

        Yields nothing more after the first fault, because the import is then refused; the remaining
        rows are only checked for further faults.
        """
        if not self.columns:
            return
        separator = self.separator.encode()
        pattern = re.escape(self.separator).join(
            _pattern(column, self.separator) for column in self.columns
        )
        plain = re.compile(pattern.encode()).fullmatch
        unused = separator * self._unused
        block: list[bytes] = []
        size = 0
        for line, whole in self._records:
            record = whole.removesuffix(unused)
            # A plain row needs no further check, so that a million rows take seconds.
            if not (plain(record) and _is_utf8(record)):
                if not record.strip(separator):
                    continue  # a row that was emptied in a spreadsheet
                if not self._examine(line, record):
                    return
            self.count += 1
            block.append(b"%d%b%b\n" % (line, separator, record))
            size += len(record)
            if size >= _BLOCK:
                if not self._faults.lines:
                    yield b"".join(block)
                block, size = [], 0
            if self._faults.full:
                return
        if not self._faults.lines:
            yield b"".join(block)

    def _well_formed(self, dialect: Dialect) -> Iterator[tuple[int, bytes]]:
        try:
            yield from records(dialect.stream, dialect.separator, dialect.skipped)
        except MalformedError as error:
            self._note(error.line, "row", str(error))

    def _header(self) -> Sequence[Column]:
        line, record = next(self._records, (1, b""))
        if len(record) > _LONGEST_HEADER:
            self._note(line, "header", f"is longer than {_LONGEST_HEADER} bytes: is it a header?")
            return ()
        known = {column.name: column for column in self._file.columns}
        try:
            names = [_name(name or "") for name in fields(record, self.separator)]
        except MalformedError as error:
            self._note(line, "header", _advised(error))
            return ()
        if not record:
            self._note(line, "header", "is missing")
            return ()
        if known.keys().isdisjoint(names):
            what = f"names no column of this file, read with the separator {self.separator!r}"
            self._note(line, "header", f"{what}; its columns are {', '.join(known)}")
            return ()
        while not names[-1]:
            names.pop()
            self._unused += 1
        times = Counter(names)
        strange = [name for name in times if name not in known or times[name] > 1]
        absent = [c.name for c in known.values() if c.required and c.name not in times]
        for name in strange:
            self._note(line, "header", f"{quoted(name)} is {_verdict(name in known)}")
        for name in absent:
            self._note(line, name, "the column is missing")
        return () if strange or absent else [known[name] for name in names]

    def _examine(self, line: int, record: bytes) -> bool:
        """Add the faults and doubts of a row; return False if reading on is useless."""
        try:
            values = fields(record, self.separator)
        except MalformedError as error:
            within = error.field is not None and error.field < len(self.columns)
            where = self.columns[error.field or 0].name if within else "row"
            self._note(line, where, _advised(error))
            return not error.is_encoding
        if len(values) != len(self.columns):
            self._note(
                line, "row", f"has {len(values)} fields, but the header has {len(self.columns)}"
            )
            return True
        for column, value in zip(self.columns, values, strict=True):
            what = _complaint(column, value)
            if what:
                self._note(line, column.name, what)
            elif value and column.kind.is_doubtful and column.kind.is_doubtful(value):
                self.doubts.setdefault(column.name, []).append(line)
        return True

    def _note(self, line: int, column: str, what: str) -> None:
        self._faults.add(self._file.name, line, column, what)


def _name(text: str) -> str:
    """Return a column's name in our spelling: spreadsheets use capitals and blanks."""
    return re.sub(r"[\s_-]+", "_", text.strip().lower())


def _advised(error: MalformedError) -> str:
    return f"{error}: {HOW_TO_SAVE}" if error.is_encoding else str(error)


def _pattern(column: Column, separator: str) -> str:
    if column.kind is TEXT:
        one = rf'[^"{re.escape(separator)}\r\n\0]++|{_QUOTED_TEXT}'
        return f"(?:{one})" if column.required else f'(?:{one}|"")?+'
    one = f'(?:{column.kind.plain})|"(?:{column.kind.plain})"'
    return f"(?:{one})" if column.required else f"(?:{one})?"


def _complaint(column: Column, value: str | None) -> str | None:
    if value is None:
        return "is required" if column.required else None
    if value == "" and column.required:
        return "is required and must not be empty"
    what = column.kind.complaint(value)
    return f"{quoted(value)} {what}" if what else None


def _verdict(is_known: bool) -> str:  # noqa: FBT001 - one caller, in sight
    return "there twice" if is_known else "not a column of this file"


def _is_utf8(record: bytes) -> bool:
    if record.isascii():
        return True
    try:
        record.decode()
    except UnicodeDecodeError:
        return False
    return True
