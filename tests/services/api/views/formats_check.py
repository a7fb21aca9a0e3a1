"""Reads the rows of each format back with stock readers, and compares them with the JSON."""

import csv
import io
import json
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

from python_calamine import load_workbook

from tests.services.api.reports.naive_model import Number
from tests.services.api.views.case import Case
from tests.services.api.views.wire import assert_same
from tests.services.api.views.wire import read as read_json

_FORMULAS = tuple("=+-@\t\r") + tuple(
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the fields of inner objects under names such as `previous.owing`."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        inner = {f"{name}.{each}": it for each, it in value.items()} if _is_object(value) else {}
        found |= inner or {name: value}
    return found


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def cell(value: Any) -> str:
    """How CSV writes a value of the JSON: a text that begins like a formula is made harmless."""
    if value is None:
        return ""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, bool):
        return json.dumps(value)
    return f"'{value}" if value.startswith(_FORMULAS) else value


async def check_csv(case: Case, path: str, expected: list[dict[str, Any]]) -> None:
    """`expected` are the rows of the JSON, whose order and fields CSV has as well."""
    answer = await case.get(path, headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"].startswith("text/csv"), path
    lines = list(csv.reader(io.StringIO(answer.text, newline=""), strict=True))
    assert answer.text.endswith("\r\n"), path
    if expected:
        assert lines[0] == list(flat(expected[0])), path
    assert len(lines) == len(expected) + 1, path
    for line, row in zip(lines[1:], expected, strict=True):
        assert line == [cell(each) for each in flat(row).values()], f"{path}: {line}"


async def check_ndjson(case: Case, path: str, expected: list[dict[str, Any]]) -> None:
    answer = await case.get(path, headers={"Accept": "application/x-ndjson"})
    assert answer.headers["Content-Type"].startswith("application/x-ndjson"), path
    lines = [line for line in answer.text.split("\n") if line]
    assert_same([read_json(line) for line in lines], expected, f"{path} as NDJSON")


async def check_workbook(case: Case, path: str, expected: list[Any], totals: Any) -> None:
    """Numbers of a workbook are the numbers of the JSON, as far as a float has digits."""
    body = await case.body(f"{path}&format=xlsx")
    book = load_workbook(io.BytesIO(body))
    header, *lines = book.get_sheet_by_index(0).to_python()
    assert len(lines) == len(expected), path
    for line, row in zip(lines, expected, strict=True):
        shown = dict(zip(header, line, strict=True))
        assert _as_text(shown["id"]) == row["id"], path
        for field in totals:
            assert float(shown[field] or 0) == float(row[field] or 0), f"{path}: {field}"
    second = {line[0]: line[1] for line in book.get_sheet_by_index(1).to_python()}
    for field, total in totals.items():
        assert float(second[field] or 0) == float(total), f"{path}: {field}"


def _as_text(identity: object) -> str:
    return str(int(identity)) if isinstance(identity, float) else str(identity)


class _Table(HTMLParser):
    """The page's last table: fields by the links that sort, cells of body and foot.

    The table before it has the figures of the chart.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._begin()
        self.feed(text)

    def _begin(self) -> None:
        self.fields: list[str | None] = []
        self.parts: dict[str, list[list[str]]] = {"tbody": [], "tfoot": []}
        self._part = ""
        self._is_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._begin()
        elif tag in {"thead", "tbody", "tfoot"}:
            self._part = tag
        elif tag == "tr" and self._part in self.parts:
            self.parts[self._part].append([])
        elif tag in {"td", "th"}:
            self._is_cell = True
            if self._part == "thead" and given.get("scope") == "col":
                self.fields.append(None)
            elif self._part in self.parts:
                self.parts[self._part][-1].append("")
        elif tag == "a" and self._part == "thead" and self.fields:
            query = parse_qs(urlsplit(given["href"] or "").query)
            self.fields[-1] = query["sort"][0].removeprefix("-")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._is_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_cell and self._part in self.parts:
            self.parts[self._part][-1][-1] += data


def _number(text: str) -> Decimal:
    """A number of the page; a dash is none, which counts as 0."""
    plain = text.strip().replace(",", "").replace("\N{MINUS SIGN}", "-")
    return Decimal(0) if plain == "\N{EN DASH}" else Decimal(plain)


async def check_page(case: Case, path: str, expected: list[Any], totals: dict[str, Any]) -> None:
    """The figures of each row of the page are those of the JSON, and its foot has the totals."""
    answer = await case.get(f"{path}&format=html&per_page=1000")
    assert answer.headers["Content-Type"].startswith("text/html"), path
    table = _Table(answer.text)
    if not expected:
        return
    assert len(table.parts["tbody"]) == len(expected), path
    [foot] = table.parts["tfoot"]
    compared = 0
    for place, field in enumerate(table.fields):
        if field not in totals:
            continue
        shown = [_number(line[place]) for line in table.parts["tbody"]]
        assert shown == [Decimal(row[field] or 0) for row in expected], f"{path}: {field}"
        assert _number(foot[place]) == Decimal(totals[field]), f"{path}: {field}"
        compared += 1
    assert compared > 5, path
