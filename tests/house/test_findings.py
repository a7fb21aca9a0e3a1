"""docs/findings.md names every finding once, and tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "findings.md").read_text("utf-8").partition("\n## Decided against")[0]
ROW = re.compile(r"^\| ([A-Z][^|]*) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[^`:]+\.py)::(test_\w+)`")
FOUND = {
    *(f"S{n}" for n in range(1, 24)),
    *(f"F{n}" for n in range(1, 14)),
    *(f"B{n}" for n in range(1, 19)),
    *(f"BG{n}" for n in range(1, 14)),
    *(f"N{n}" for n in (*range(1, 23), *range(32, 43))),
    *(f"E-{letter}" for letter in "ABCDEFGH"),
}


@cache
def functions_of(path: str) -> frozenset[str]:
    file = ROOT / path
    tree = ast.parse(file.read_bytes()) if file.exists() else ast.Module([], [])
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def test_each_finding_has_a_row_and_no_other() -> None:
    named = [name for ids, _ in ROW.findall(TEXT) for name in ids.split(", ")]
    assert sorted(named) == sorted(FOUND)


def test_each_row_names_tests_that_exist() -> None:
    for ids, cell in ROW.findall(TEXT):
        tests = TEST.findall(cell)
        assert tests, ids
        assert len(tests) == cell.count("`") // 2, f"{ids}: something else than a test"
        gone = [f"{path}::{name}" for path, name in tests if name not in functions_of(path)]
        assert not gone, f"{ids}: name the test that holds it now"


def test_every_line_of_the_tables_is_read() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(lines) - lines.count("| finding | what was wrong | mended how | test |") == len(
        ROW.findall(TEXT)
    )
