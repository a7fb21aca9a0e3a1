"""Rows of a report as lines of text: CSV (RFC 4180) and NDJSON."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from services.api.formats.json_value import Amounts, dumps, plain, row_as_json
from services.api.formats.report import Column, Kind, Value
from shared.csv_text import field, quoted


def csv_header(columns: Sequence[Column]) -> bytes:
    """Return the line with the names of the columns."""
    return _line([quoted(column.name) for column in columns])


def csv_lines(columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> bytes:
    """Return a line for each row. NULL is an empty field, and an empty text is a quoted one."""
    texts = [column.kind is Kind.TEXT for column in columns]
    return b"".join(
        _line(
            [
                field(value) if is_text and isinstance(value, str) else _cell(value)
                for is_text, value in zip(texts, row, strict=True)
            ]
        )
        for row in rows
    )


def json_lines(
    columns: Sequence[Column], rows: Sequence[Sequence[Value]], amounts: Amounts
) -> bytes:
    """Return a line for each row, with an object."""
    return b"".join(dumps(row_as_json(columns, row, amounts)) + b"\n" for row in rows)


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _line(cells: Sequence[str]) -> bytes:
    return ",".join(cells).encode() + b"\r\n"
