"""What is due next is said in every form and language, also by a statement without open items."""

from decimal import Decimal

import pytest

from shared.statements.language import LANGUAGES
from shared.statements.model import Statement
from shared.statements.render import Renderer
from shared.statements.view import view
from tests.shared.statements.reading import pdf_text, words
from tests.shared.statements.snapshots import complete, frozen

DUE = {"dates": [{"due_date": "2024-12-12", "open": Decimal("1999.9999")}], "later": 0}


def told(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_form_names_the_amount_and_the_day(renderer: Renderer, tag: str) -> None:
    given = {"kind": "activity", "open_items": None, "coming": DUE}
    content = frozen(complete(**given, locale=tag, generated_at="2024-12-01T08:00:00Z"))
    sentence = told(view(Statement.parse(content))["pay_by"])
    assert sentence
    made = renderer.render(content)
    assert sentence in told(made.text)
    assert sentence in told(words(made.html))
    assert made.pdf is not None
    read = told(pdf_text(made.pdf))
    if tag != "ar":
        assert sentence in read
        return
    # Is read from the page in pieces, in the order in which they stand.
    moment = "2024-12-01T08:00:00Z"
    silent = complete(**given | {"coming": None}, locale=tag, generated_at=moment)
    without = told(pdf_text(renderer.render(frozen(silent)).pdf))
    assert read.count("1,999.9999") == without.count("1,999.9999") + 1
