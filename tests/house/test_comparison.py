"""docs/comparison.md says nothing of another product without a source."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "comparison.md").read_text("utf-8")
_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and "Ledgerpost |" not in line
]
_CITED = re.compile(r"\[(\d+)\](?!\()")


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row[0])
def test_each_claim_about_another_product_has_a_source(row: list[str]) -> None:
    assert len(row) == 8
    for cell in row[2:]:
        assert cell in {"nd", "–"} or _CITED.search(cell), cell


def test_each_source_is_cited_and_each_citation_has_a_source() -> None:
    body, sources = PAGE.split("## Sources")
    numbers = re.findall(r"^(\d+)\. .*https://", sources, re.MULTILINE)
    assert numbers == [str(place) for place in range(1, len(numbers) + 1)]
    assert {*_CITED.findall(body)} == {*numbers}
    assert len(_ROWS) > 20
