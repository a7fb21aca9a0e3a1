"""Texts of the ledger and the message are displayed unchanged, and never interpreted."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from shared.statements.render import Rendered, Renderer
from shared.statements.wording import line
from shared.text import lines
from tests.shared.statements.hostile import PAYLOADS, fill, texts
from tests.shared.statements.reading import page, pdf_text, words
from tests.shared.statements.snapshots import frozen, snapshot

PLAIN = "plain"


def rendered(renderer: Renderer, text: str) -> Rendered:
    return renderer.render(frozen(fill(snapshot(), text)), text)


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page with the names of their attributes, lines of text aside."""
    return [
        (tag, tuple(attributes)) for tag, attributes in page(html).tags if tag not in {"br", "bdi"}
    ]


@given(text=texts)
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_text_adds_an_element_or_an_attribute(renderer: Renderer, text: str) -> None:
    made = rendered(renderer, f"x{text}y")
    assert shape(made.html) == shape(rendered(renderer, PLAIN).html)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", made.subject)
    assert len(made.subject) <= 150


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:30])
def test_html_and_text_say_what_was_written(renderer: Renderer, text: str) -> None:
    made = rendered(renderer, text.replace("\0", ""))
    text = text.replace("\0", "")
    said, plain = words(made.html), " ".join(made.text.split())
    for part in lines(text):
        assert " ".join(part.split()) in said
        assert " ".join(part.split()) in plain
    for each in (line(text, limit=200), line(text)):
        assert " ".join(each.split()) in said


READABLE = [text for text in PAYLOADS if text.isascii() and "\0" not in text and len(text) < 200]


@pytest.mark.parametrize("text", READABLE, ids=lambda text: ascii(text)[:30])
def test_the_pdf_says_what_was_written(renderer: Renderer, text: str) -> None:
    made = renderer.render(frozen(snapshot(customer__business_location=text)))
    read = re.sub(r"\s+", "", pdf_text(made.pdf))
    assert re.sub(r"\s+", "", line(text)) in read


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:30])
def test_the_name_of_the_file_is_made_of_letters_and_digits(renderer: Renderer, text: str) -> None:
    made = rendered(renderer, text.replace("\0", ""))
    assert re.fullmatch(r"statement(-[a-z0-9]+)*-2024-11-01-2024-11-30\.pdf", made.pdf_name)


def test_an_address_does_not_fill_pages(renderer: Renderer) -> None:
    address = "\n".join(f"line {number}" for number in range(100_000))
    content: dict[str, Any] = snapshot(
        business__address=address, customer__business_address=address
    )
    made = renderer.render(frozen(content))
    assert "line 10" in made.text
    assert "line 12" not in made.text
    assert len(made.html) < 60_000
    assert "Page 2 of 2" in pdf_text(made.pdf)
