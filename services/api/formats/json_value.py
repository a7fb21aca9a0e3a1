"""Writes the values of a report as JSON: amounts as exact decimals, never by way of a float."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

import orjson

from services.api.formats.report import Column, Kind, Value


class Amounts(Enum):
    """How JSON has money: as numbers, or as texts for programs that read numbers as floats."""

    NUMBER = "number"
    STRING = "string"


def plain(value: Decimal) -> str:
    """Return the digits of a decimal, without trailing zeros, exponent or minus zero."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_json(kind: Kind, value: Value, amounts: Amounts = Amounts.NUMBER) -> object:
    """Return a value of this kind as `dumps` writes it."""
    if isinstance(value, Decimal):
        digits = plain(value)
        is_text = kind is Kind.MONEY and amounts is Amounts.STRING
        return digits if is_text else orjson.Fragment(digits)
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else value


def row_as_json(
    columns: Sequence[Column], row: Sequence[Value], amounts: Amounts = Amounts.NUMBER
) -> dict[str, object]:
    """Return a row as an object with a field for each column."""
    return {
        column.name: as_json(column.kind, value, amounts)
        for column, value in zip(columns, row, strict=True)
    }


def fields_as_json(
    columns: Sequence[Column], values: Mapping[str, Value], amounts: Amounts = Amounts.NUMBER
) -> dict[str, object]:
    """Return the values that stand under the name of one of these columns, in their order."""
    return {
        column.name: as_json(column.kind, values[column.name], amounts)
        for column in columns
        if column.name in values
    }


def dumps(value: object) -> bytes:
    """Return the JSON of objects, lists and values of `as_json`."""
    return orjson.dumps(value)
