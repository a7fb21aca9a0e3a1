"""docs/troubleshoot.md quotes what the programs say: each line is made, or stands in the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshoot.md"
# The first cell of a row, if it is a line that a program prints, and not the name of a state.
QUOTED = re.findall(r"^\| `([^`]* [^`]*)`", PAGE.read_text("utf-8"), re.MULTILINE)
MADE_BY = ("tests/journeys/test_symptoms.py", "tests/shared/db/test_migrate_waiting.py")
COMMANDS = ("ledgerpost-api ", "ledgerpost-mailer ")


@cache
def texts() -> tuple[str, ...]:
    """The texts in our code, with … in place of each value."""
    return tuple(
        text
        for folder in ("services", "shared")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (text := _text(node)) and " " in text
    )


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(each) if isinstance(each, ast.Constant) else "…" for each in node.values
        )
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def is_said(line: str) -> bool:
    """Whether some text of our code can become this line."""
    wanted = line.strip("… ,:")
    return any(wanted in text for text in texts()) or any(
        re.fullmatch(re.escape(text).replace("…", ".+"), line) for text in texts() if _says(text)
    )


def _says(text: str) -> bool:
    """Whether a text with values has enough words of its own to be told by."""
    return "…" in text and len(text.replace("…", "")) > 15


@cache
def made() -> tuple[str, ...]:
    """The lines that a test makes by running a program."""
    return tuple(
        text
        for path in MADE_BY
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
        if (text := _text(node)) and " " in text
    )


@pytest.mark.parametrize("line", QUOTED)
def test_each_quoted_line_is_one_that_a_program_says(line: str) -> None:
    if not line.startswith(COMMANDS):
        begins = line.rstrip("…")
        assert any(text.startswith(begins) for text in made()) or is_said(line)


def test_lines_are_found() -> None:
    assert len(QUOTED) > 18
    assert not is_said("the disk is full of butterflies")
