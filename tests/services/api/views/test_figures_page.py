"""docs/figures.md explains each field of each report, and its examples are what the API answers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.services.api.api_client import REPORTS, Api
from tests.services.api.views.wire import read as read_json

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / "figures.md").read_text("utf-8")
_EXAMPLES = re.findall(r"```\n(?:GET )(\S+)\n```\n\n```json\n(.*?)\n```", PAGE, re.DOTALL)
_TABLES = re.findall(r"^\| field \| .*?\n\n", PAGE, re.DOTALL | re.MULTILINE)


def explained() -> set[str]:
    """The fields in the first column of the tables of fields."""
    return {
        name
        for table in _TABLES
        for line in table.splitlines()[2:]
        if line
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    }


def fields(schema: Any, known: dict[str, Any], seen: set[str]) -> set[str]:
    """The names of all fields of a schema and of the schemas in it."""
    if isinstance(schema, list):
        return set().union(*(fields(each, known, seen) for each in schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema.get("properties", {}))
    if (ref := schema.get("$ref")) and ref not in seen:
        seen.add(ref)
        found |= fields(known[ref.rpartition("/")[2]], known, seen)
    parts = [each for name, each in schema.items() if name not in {"example", "examples"}]
    return found.union(*(fields(each, known, seen) for each in parts))


def answered() -> set[str]:
    """The fields of all answers of the reports in the OpenAPI document.

    The snapshot of a statement is not one of them: docs/statements.md describes it.
    """
    whole = json.loads((DOCS / "openapi.json").read_text("utf-8"))
    known, seen = whole["components"]["schemas"], set[str]()
    found: set[str] = set()
    for path, methods in whole["paths"].items():
        if not path.startswith(REPORTS) or path.endswith("/statement") or "get" not in methods:
            continue
        content = methods["get"]["responses"]["200"]["content"]
        found |= fields(content["application/json"]["schema"], known, seen)
    return found


def test_each_field_is_explained_and_each_explained_field_exists() -> None:
    assert answered() == explained()


@pytest.mark.parametrize(("path", "shown"), _EXAMPLES, ids=[path for path, _ in _EXAMPLES])
async def test_the_examples_are_answers(path: str, shown: str, reader: Api) -> None:
    answer = await reader.get(path)
    assert answer.status == 200, answer.text
    assert_within(read_json(shown), read_json(answer.text), path)


def test_there_is_an_example_of_each_view() -> None:
    paths = " ".join(path for path, _ in _EXAMPLES)
    for view in ("client/4/2024", "basis=cash", "compare=", "/summary", "/series", "/aging"):
        assert view in paths
    assert "/transactions" in paths
    assert "/explain/" in paths


def assert_within(shown: Any, answer: Any, place: str) -> None:
    """Each value that is shown is in the answer; objects may have more fields there."""
    if isinstance(shown, dict):
        for name in shown:
            assert_within(shown[name], answer[name], f"{place} {name}")
    elif isinstance(shown, list):
        assert len(shown) <= len(answer), place
        for one, other in zip(shown, answer, strict=False):
            assert_within(one, other, place)
    else:
        assert repr(shown) == repr(answer), f"{place}: {json.dumps(answer)}"
