"""The text of a PDF is the text of the ledger: what is searched or copied is what was written."""

import re
import subprocess
from decimal import Decimal
from itertools import pairwise

import pytest

from shared.statements.render import Renderer
from tests.shared.statements.reading import pdf_text, tool
from tests.shared.statements.snapshots import frozen, row, snapshot

UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
STRIPE = "pi_3OZ2xL2eZvKYlo2C1gqfJ8Yb"
UUID = "0d9f7c1e-6a54-4c36-9f0b-8a7a2d1be5f4"
GERMAN = "Donaudampfschifffahrtsgesellschaft"
MAIL = "accounts@acme-pharmaceuticals-international.example"
LONG = "202602-GH-20260602-ACCRA/0000123456_REFERENCE.of.seventy.signs,or.more"


def read(renderer: Renderer, **changes: str) -> str:
    rows = [
        row("2024-11-01", "invoice", UUID, "10"),
        row("2024-11-02", "payment", "1", "5", method="Cash", reference=STRIPE),
        row("2024-11-03", "payment", "1", "5", method="Cash", reference=LONG),
    ]
    return pdf_text(renderer.render(frozen(snapshot(rows, **changes))).pdf)


def test_long_words_are_found_whole(renderer: Renderer) -> None:
    text = read(
        renderer,
        business__name="Acme Pharmaceuticals Ltd",
        customer__business_name=f"Rechtsanwaltskanzlei {GERMAN}",
        business__email="accounts@pharmaceuticals.example",
    )
    assert not UNSEEN.search(text)
    for word in (STRIPE, UUID, GERMAN, "Pharmaceuticals", "Rechtsanwaltskanzlei"):
        assert word in text


def test_a_word_wider_than_its_place_breaks_after_punctuation(renderer: Renderer) -> None:
    text = read(renderer, business__email=MAIL)
    assert not UNSEEN.search(text)
    assert MAIL.removesuffix("example") in text
    broken = LONG.replace("/", "/\n", 1).split("\n")
    assert any(part in text for part in (LONG, *broken)), "only after signs of punctuation"


@pytest.mark.parametrize("word", ["X" * 150, "ж" * 150, "W" * 80, "a-" * 70])
@pytest.mark.parametrize("amount", ["1", "123456789012345.1234"])
def test_nothing_runs_out_of_its_place(renderer: Renderer, word: str, amount: str) -> None:
    rows = [row("2024-11-01", "invoice", word, amount), row("2024-11-02", "refund", "1", amount)]
    rows[1]["reference"] = word
    made = renderer.render(
        frozen(
            snapshot(rows, business__name=word, customer__business_name=word, business__email=word)
        )
    )
    boxes = subprocess.run(
        [tool("pdftotext"), "-bbox", "-", "-"], input=made.pdf, capture_output=True, check=True
    ).stdout.decode()
    margin = 18 / 25.4 * 72
    for page in boxes.split("<page")[1:]:
        found = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)"', page)
        words = sorted((top, float(begin), float(end)) for begin, top, end in found)
        assert max(end for _, _, end in words) <= 210 / 25.4 * 72 - margin + 1
        # Nothing is printed over a figure.
        for (line, _, end), (same, begin, _) in pairwise(words):
            assert line != same or end <= begin + 0.5
    whole = re.sub(r"\s+", "", pdf_text(made.pdf))
    assert f"{Decimal(amount):,f}" in whole
