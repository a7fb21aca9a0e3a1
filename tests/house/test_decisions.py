"""docs/adr/README.md lists every decision, and each names its alternatives."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
DECISIONS = sorted(
    (DOCS / "adr").glob("[0-9]*.md"), key=lambda path: int(path.name.partition("-")[0])
)
INDEX = (DOCS / "adr" / "README.md").read_text("utf-8")


def test_the_index_lists_every_decision_once_and_in_order() -> None:
    listed = re.findall(r"^\| \[(\d+) [^\]]+\]\((\d+-[a-z-]+\.md)\) \|", INDEX, re.MULTILINE)
    assert [name for _, name in listed] == [path.name for path in DECISIONS]
    assert [int(number) for number, _ in listed] == list(range(1, len(DECISIONS) + 1))


def test_the_architecture_leads_to_the_index() -> None:
    assert "(adr/README.md)" in (DOCS / "architecture.md").read_text("utf-8")


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_each_has_what_was_decided_why_and_instead_of_what(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# ADR {path.name.partition('-')[0]}: ")
    for heading in ("Decision", "Why", "Alternatives considered", "Price"):
        assert re.search(rf"^\*\*{heading}\b", text, re.MULTILINE), heading
