"""Rows on pages: nothing is lost, split, or left alone, however many there are."""

import re
import subprocess
from typing import Any

import pytest

from shared.statements.render import Renderer
from tests.examples import examples
from tests.shared.statements.accounts import account
from tests.shared.statements.reading import pdf_text, tool
from tests.shared.statements.snapshots import frozen, row

_ROW = re.compile(r"(?:Invoice|Payment on) INV-\d{5}")
_HEAD = re.compile(r"Date +Transaction +Charges +Credits +Balance")
_COUNTS = (1, 6, 8, 41, 46, 103) if examples(1) == 1 else range(1, 130)


def read(renderer: Renderer, content: dict[str, Any]) -> list[str]:
    rendered = renderer.render(frozen(content))
    assert rendered.pdf is not None
    return pdf_text(rendered.pdf).split("\f")[:-1]


@pytest.mark.parametrize("paper", ["a4", "letter"])
@pytest.mark.parametrize("items", [0, 3, 14])
def test_rows_fill_pages_and_stay_with_head_and_total(
    renderer: Renderer, paper: str, items: int
) -> None:
    kind = "activity-with-open-items" if items else "activity"
    for count in _COUNTS:
        content = account(count, kind=kind, items=items or 1, paper=paper)
        pages = read(renderer, content)
        rows = [len(_ROW.findall(page)) for page in pages]
        assert sum(rows) == count
        for number, page in enumerate(pages, 1):
            assert f"Page {number} of {len(pages)}" in page
            assert bool(_HEAD.search(page)) == bool(rows[number - 1])
        last = max(number for number, found in enumerate(rows) if found)
        assert rows[last] >= min(2, count)
        assert "Closing balance" in pages[last].rpartition("INV-")[2]
        # What follows the list needs one page more at most.
        assert last >= len(pages) - 2
        assert "How to pay" in pages[-1] + pages[-2 if len(pages) > 1 else -1]
        assert "Billed in this period" in pages[-1]
        headings = [
            page for page in pages if re.search(r"^ *Transactions in GHS", page, re.MULTILINE)
        ]
        assert len(headings) == 1
        assert _ROW.search(headings[0].partition("Transactions in GHS")[2])


def test_a_long_address_leaves_the_summary_whole(renderer: Renderer) -> None:
    address = "\n".join(f"Line {number} of a long address" for number in range(30))
    for lines in (4, 9, 12):
        content = account(20, business={"address": "\n".join(address.split("\n")[:lines])})
        content["customer"]["business_address"] = address
        (page,) = [page for page in read(renderer, content) if "Summary in GHS" in page]
        summary = page.partition("Summary in GHS")[2]
        assert "Opening balance" in summary
        assert "Refunded" in summary
        assert "Closing balance" in summary


@pytest.mark.parametrize(
    ("amount", "head"),
    [
        ("1234.5", r"Date +Transaction +Charges +Credits +Balance"),
        ("12345678901.5", r"Date +Transaction +Amount +Balance"),
        ("99999999999999999999.5", r"Transaction +Amount / Balance"),
    ],
)
def test_long_figures_get_fewer_columns_and_letters_of_one_size(
    renderer: Renderer, amount: str, head: str
) -> None:
    rows = [
        row("2024-11-01", "invoice", "INV-1", amount, due="2024-11-30"),
        row("2024-11-02", "payment", "INV-1", amount, method="Cash", reference="GCB 1"),
    ]
    text = "\n".join(read(renderer, account(rows, kind="activity", items=1)))
    assert re.search(head, text)
    whole, _, fraction = amount.partition(".")
    assert f"{int(whole):,}.{fraction}0" in text
    assert "3,200.00" in text


def test_decimal_signs_stand_in_one_column_without_further_letters(renderer: Renderer) -> None:
    rows = [
        row("2024-11-01", "invoice", "INV-1", "100"),
        row("2024-11-02", "invoice", "INV-2", "0.0001"),
        row("2024-11-03", "invoice", "INV-3", "20.125"),
    ]
    rendered = renderer.render(frozen(account(rows, kind="activity", items=1)))
    words = bounds(rendered.pdf or b"")
    start, end = words["2024"][-1]
    digit = (end - start) / len("2024")
    points = [
        words[figure][0][1] - len(figure.partition(".")[2]) * digit
        for figure in ("100.00", "0.0001", "20.125")
    ]
    assert max(points) - min(points) < digit / 10


def bounds(pdf: bytes) -> dict[str, list[tuple[float, float]]]:
    """The words that poppler finds, with left and right edges."""
    run = subprocess.run(
        [tool("pdftotext"), "-bbox", "-", "-"], input=pdf, capture_output=True, check=True
    )
    found: dict[str, list[tuple[float, float]]] = {}
    pattern = r'<word xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="[\d.]+">([^<]*)<'
    for left, right, word in re.findall(pattern, run.stdout.decode()):
        found.setdefault(word, []).append((float(left), float(right)))
    return found
