"""Tables as HTML, written tersely: a page may have 1,000 rows, each with a link in every cell."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from services.api.formats.page.figures import NUMBERS, aligned, text
from services.api.formats.page.navigation import Link
from services.api.formats.report import Column, Kind, Value

# What needs no quotes as the value of an attribute.
_BARE = re.compile(r"[\w./-]+", re.ASCII)

# Columns of words that JSON writes with underscores, such as `credit_note`.
_OF_WORDS = frozenset({"kind", "status"})

Rows = Sequence[Sequence[Value]]


@dataclass(frozen=True)
class Heading:
    """The head of a column: its title, the URL that sorts by it, and how it is sorted now."""

    title: str
    is_number: bool
    url: str | None = None
    direction: str | None = None


@dataclass(frozen=True)
class Grid:
    """A table, ready to be written: its body and its last line, of totals."""

    headings: Sequence[Heading]
    body: Markup
    totals: Sequence[str] = ()
    total_title: str = "Total"


def grid(
    columns: Sequence[tuple[int, Column]],
    rows: Rows,
    currency: str,
    *,
    headings: Sequence[Heading],
    totals: Mapping[str, Value] | None = None,
    total_title: str = "Total",
    links: Mapping[str, Link] | None = None,
) -> Grid:
    """Return the table of these columns, each given with its place in the rows.

    The first column names the row. Numbers of a column stand with their points below each other,
    those of the totals as well.
    """
    totals = totals or {}
    texts = [
        _column(column, [row[place] for row in rows], totals, currency) for place, column in columns
    ]
    cells = [
        _cells(column, texts[number], rows, (links or {}).get(column.name), is_first=number == 0)
        for number, (_, column) in enumerate(columns)
    ]
    body = "\n".join(f"<tr>{''.join(parts)}" for parts in zip(*cells, strict=True))
    ends = [each[len(rows)] if len(each) > len(rows) else "" for each in texts]
    return Grid(headings, Markup(body), ends[1:] if totals else (), total_title)  # noqa: S704 -- each text in it is escaped


def _column(
    column: Column, values: Sequence[Value], totals: Mapping[str, Value], currency: str
) -> list[str]:
    """Return the texts of a column, and after them the text of its total if it has one."""
    given = [*values, totals[column.name]] if column.name in totals else values
    texts = [text(value, column.kind, currency) for value in given]
    if column.name in _OF_WORDS:
        texts = [each.replace("_", " ") for each in texts]
    return aligned(texts) if column.kind in NUMBERS else texts


def _cells(
    column: Column, texts: Sequence[str], rows: Rows, link: Link | None, *, is_first: bool
) -> Iterator[str]:
    is_number = column.kind in NUMBERS
    opening = "<th scope=row>" if is_first else "<td>" if is_number else "<td class=t>"
    is_foreign = column.kind is Kind.TEXT
    for row, shown in zip(rows, texts, strict=False):
        inner = str(escape(shown))
        if is_foreign:
            inner = f"<bdi>{inner}</bdi>"
        href = link(row) if link is not None else None
        if href is not None:
            inner = f"<a href={_attribute(href)}>{inner}</a>"
        yield opening + inner


def _attribute(value: str) -> str:
    return value if _BARE.fullmatch(value) else f'"{escape(value)}"'
