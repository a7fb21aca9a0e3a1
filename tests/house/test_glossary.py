"""docs/glossary.md explains the terms of the code, and only terms that are used."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
TERMS = re.findall(r"^\| (?!term \|)([A-Za-z -]+) \|", GLOSSARY.read_text("utf-8"), re.MULTILINE)
ELSEWHERE = "\n".join(
    path.read_text("utf-8")
    for folder, pattern in (("docs", "*.md"), ("services", "*.py"), ("shared", "*.py"))
    for path in sorted((ROOT / folder).rglob(pattern))
    if path != GLOSSARY
)


@pytest.mark.parametrize("term", TERMS)
def test_each_term_is_used_elsewhere(term: str) -> None:
    words = r"\s+".join(map(re.escape, term.split()))
    assert re.search(rf"\b{words}(s|es)?\b", ELSEWHERE, re.IGNORECASE), term


def test_each_term_is_explained_once() -> None:
    assert len(TERMS) == len(set(TERMS)) > 30


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_it_is_found_from(page: str) -> None:
    assert "glossary.md)" in (ROOT / page).read_text("utf-8")
