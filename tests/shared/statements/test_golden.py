"""The text of one statement in each language, as people who know the language have read it.

After a change of the words, `make golden` writes the texts anew; read the difference before it is
committed.
"""

import sys
from pathlib import Path

import pytest

from shared.statements.language import LANGUAGES
from shared.statements.render import Renderer
from tests.shared.statements.snapshots import complete, frozen

GOLDEN = Path(__file__).with_name("golden")
#: Each language with a currency of its own.
CURRENCIES = {"ar": "SAR", "de": "EUR", "en": "GHS", "es": "MXN", "fr": "XOF", "pt": "BRL"}


def text(renderer: Renderer, tag: str) -> str:
    content = complete(locale=tag, business__currency=CURRENCIES[tag])
    return renderer.render(frozen(content), "Thank you.\nhttps://kente.example/thanks").text


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_text_is_the_one_that_was_read(renderer: Renderer, tag: str) -> None:
    assert text(renderer, tag) == (GOLDEN / f"{tag}.txt").read_text("utf-8")


def write() -> None:
    """Write all texts anew."""
    made = Renderer()
    for tag in LANGUAGES:
        (GOLDEN / f"{tag}.txt").write_text(text(made, tag), "utf-8")


if __name__ == "__main__":
    sys.exit(write())
