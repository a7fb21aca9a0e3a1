"""Reads the rows of each format back with stock readers, and compares them with the JSON."""

import csv
import io
import json
from typing import Any

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
