"""A place in the order of the list, as a cursor holds it and as SQL finds it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated, NamedTuple

from pydantic import Field, TypeAdapter

from services.api.core import bound_cursor
from services.api.core.refusals import Invalid
from services.api.reports.sort import Sort

_NAME_CHARS = 200  # of a name that decide its order, so that cursors stay short
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,20})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")


class Side(IntEnum):
    """Which page a cursor asks for."""

    AFTER = 0  # the one that begins after a row
    BEFORE = 1  # the one that ends before a row
    LAST = 2


class Place(NamedTuple):
    """A row's place in the order, by its sort value and id, for the page on one side of it.

    `version` and `number` say where that row stood at a version of the ledger.
    """

    side: Annotated[int, Field(ge=0, le=2)]
    value: Annotated[str, Field(max_length=4 * _NAME_CHARS)] | None = None
    id: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    number: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    version: Annotated[str, Field(max_length=16)] = ""


_PLACE = TypeAdapter(Place)


@dataclass(frozen=True)
class SortKey:
    """What a sort compares: an expression, its value as text, and that text as SQL again."""

    expression: str
    text: str
    literal: Callable[[str], str]


def page_numbers(total: int, place: Place | None, before: int, rows: int) -> range:
    """Return the numbers, from 0, of the rows of a page at a place, which `before` rows precede."""
    before = min(before, total)
    if place is not None and place.side == Side.LAST:
        return range(max(total - 1, 0) // rows * rows, total)
    if place is not None and place.side == Side.BEFORE:
        return range(max(before - rows, 0), before)
    return range(before, min(before + rows, total))


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return f"({text})"


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError
    datetime.fromisoformat(text)
    return f"TIMESTAMP '{text}'"


def text_literal(text: str) -> str:
    """Return a text as SQL. Written in hexadecimal digits, it cannot end its own quotes."""
    return f"convert_from('\\x{text.encode().hex()}'::bytea, 'UTF8')"


def _collated(text: str) -> str:
    if "\0" in text:
        raise ValueError
    return f'{text_literal(text)} COLLATE "und-x-icu"'


_NAME = SortKey(
    f'left(business_name, {_NAME_CHARS}) COLLATE "und-x-icu"',
    f"left(business_name, {_NAME_CHARS})",
    _collated,
)
_CREATED = SortKey("created_at", "created_at::text", _time)


def sort_key(sort: Sort) -> SortKey:
    """Return what a sort compares."""
    match sort.field:
        case "business_name":
            return _NAME
        case "created_at":
            return _CREATED
        case field:
            return SortKey(field, f"{field}::text", _number)


def write(order: str, place: Place) -> str:
    """Return the cursor of this place in a list; `order` decides which rows it has, and how."""
    return bound_cursor.write(order, tuple(place))


def read(order: str, sort: Sort, cursor: str) -> Place:
    """Return the place that a cursor holds. Raises Invalid if it is no cursor of this list."""
    place = bound_cursor.read(cursor, order, _PLACE)
    rows_before(sort, place)
    return place


def rows_before(sort: Sort, place: Place | None) -> str:
    """Return the condition of SQL for the rows that stand before a place.

    For the page after a row, that row itself stands before the place. Raises Invalid if the place
    has a value that the sort cannot have.
    """
    if place is None or place.side == Side.LAST:
        return "false"
    equal = "<=" if place.side == Side.AFTER else "<"
    by_id = f"id {equal} {place.id}"
    if place.value is None:
        return f"(sort_value IS NOT NULL OR {by_id})"
    try:
        value = sort_key(sort).literal(place.value)
    except ValueError:
        raise Invalid("cursor", "is not a cursor of this list") from None
    sign = ">" if sort.is_descending else "<"
    return f"(sort_value {sign} {value} OR (sort_value = {value} AND {by_id}))"
