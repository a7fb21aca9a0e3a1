"""An import file's rows: checked one by one, and passed on as Postgres reads them."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from services.api.ledger.faults import Faults, quoted
from services.api.ledger.files import Column, LedgerFile
from services.api.ledger.kinds import TEXT
from services.api.ledger.records import MalformedError, fields, records

_BLOCK = 256 * 1024
_TEXT = r'[^",\r\n\0]++'
_QUOTED_TEXT = r'"(?=[^"]|"")[^"\0]*+(?:""[^"\0]*+)*+"'


class Rows:
    """The rows of one open file; what is wrong with any of them is noted in `faults`."""

    def __init__(self, file: LedgerFile, stream: BinaryIO, faults: Faults) -> None:
        self._file = file
        self._faults = faults
        self._records = self._well_formed(stream)
        self.columns = self._header()
        self.count = 0

    def blocks(self) -> Iterator[bytes]:
        """Yield the rows as CSV for COPY, each with its line number put in front.

        Ends early once something is wrong: nothing will be written then, and what remains is
        only looked through for further faults.
        """
        if not self.columns:
            return
        plain = re.compile(",".join(map(_pattern, self.columns)).encode()).fullmatch
        block: list[bytes] = []
        size = 0
        for line, record in self._records:
            # A plain row needs no closer look; this is what makes a million of them take seconds.
            if not (plain(record) and _is_utf8(record)):
                self._examine(line, record)
            self.count += 1
            block.append(b"%d,%b\n" % (line, record))
            size += len(record)
            if size >= _BLOCK:
                if not self._faults.lines:
                    yield b"".join(block)
                block, size = [], 0
            if self._faults.full:
                return
        if not self._faults.lines:
            yield b"".join(block)

    def _well_formed(self, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
        try:
            yield from records(stream)
        except MalformedError as error:
            self._note(error.line, "row", str(error))

    def _header(self) -> Sequence[Column]:
        line, record = next(self._records, (1, b""))
        known = {column.name: column for column in self._file.columns}
        try:
            names = [name or "" for name in fields(record)]
        except MalformedError as error:
            self._note(line, "header", str(error))
            return ()
        if not record:
            self._note(line, "header", "there is none")
            return ()
        times = Counter(names)
        strange = [name for name in times if name not in known or times[name] > 1]
        absent = [c.name for c in known.values() if c.required and c.name not in times]
        for name in strange:
            self._note(line, "header", f"{quoted(name)} is {_verdict(name in known)}")
        for name in absent:
            self._note(line, name, "the column is missing")
        return () if strange or absent else [known[name] for name in names]

    def _examine(self, line: int, record: bytes) -> None:
        try:
            values = fields(record)
        except MalformedError as error:
            within = error.field is not None and error.field < len(self.columns)
            where = self.columns[error.field or 0].name if within else "row"
            self._note(line, where, str(error))
            return
        if len(values) != len(self.columns):
            self._note(
                line, "row", f"has {len(values)} fields where the header has {len(self.columns)}"
            )
            return
        for column, value in zip(self.columns, values, strict=True):
            what = _complaint(column, value)
            if what:
                self._note(line, column.name, what)

    def _note(self, line: int, column: str, what: str) -> None:
        self._faults.add(self._file.name, line, column, what)


def _pattern(column: Column) -> str:
    if column.kind is TEXT:
        one = f"{_TEXT}|{_QUOTED_TEXT}"
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
    return "there twice" if is_known else "no column of this file"


def _is_utf8(record: bytes) -> bool:
    if record.isascii():
        return True
    try:
        record.decode()
    except UnicodeDecodeError:
        return False
    return True
