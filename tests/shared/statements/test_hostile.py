"""Texts of the ledger and the message are displayed unchanged, and never interpreted."""

import csv
import io
import json
import re
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from shared.rendering import worker
from shared.statements.render import Rendered, Renderer
from shared.statements.wording import line
from shared.text import lines
from tests.shared.rendering.requests import DATE, SENDER
from tests.shared.statements.hostile import PAYLOADS, fill, texts
from tests.shared.statements.reading import page, pdf_text, shape, tool, words
from tests.shared.statements.snapshots import complete, frozen, snapshot

PLAIN = "plain"
FILLED = "https://pay.example/12?amount=3116.7499"


@lru_cache
def rendered(renderer: Renderer, text: str) -> Rendered:
    return renderer.render(frozen(fill(complete(), text)), text)


def mail(made: Rendered) -> EmailMessage:
    """The mail of a statement, as its reader's program parses it."""
    message = worker.message(made, UUID(int=1), SENDER, DATE)
    data = b"".join((message.subject.header, message.headers, b"\r\n", message.body))
    return message_from_bytes(data, policy=policy.default)


def card(made: Rendered) -> str:
    """What a page has for mail programs."""
    [found] = re.findall(r"<script[^>]*>(.*?)</script", made.html, re.DOTALL)
    return str(found)


def is_harmless(link: dict[str, str | None]) -> bool:
    """Whether a link is one that the template makes of a web address."""
    return (
        (link["href"] or "").startswith(("http://", "https://"))
        and "noopener" in (link["rel"] or "")
        and link.keys() <= {"class", "href", "rel", "target", "style"}
    )


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
    assert all(is_harmless(link) for tag, link in page(made.html).tags if tag == "a")
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
    for name, suffix in ((made.pdf_name, "pdf"), (made.csv_name, "csv")):
        assert re.fullmatch(rf"statement(-[a-z0-9]+)*-2024-11-01-2024-11-30\.{suffix}", name)


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:30])
def test_the_card_for_mail_programs_is_data_alone(renderer: Renderer, text: str) -> None:
    text = text.replace("\0", "")
    found = card(rendered(renderer, text))
    assert not re.search("[<>&\u2028\u2029]", found)
    said, plain = json.loads(found), json.loads(card(rendered(renderer, PLAIN)))
    for party in ("provider", "customer"):
        assert said[party].pop("name") == line(text, limit=200)
        del plain[party]["name"]
    assert said == plain


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:30])
def test_the_mail_has_the_headers_and_parts_of_any_other(renderer: Renderer, text: str) -> None:
    found, plain = (mail(rendered(renderer, each)) for each in (text.replace("\0", ""), PLAIN))
    assert [name for name in found if name != "Reply-To"] == [*plain]
    assert [part.get_content_type() for part in found.walk()] == [
        part.get_content_type() for part in plain.walk()
    ]
    assert [each.addr_spec for each in found["From"].addresses] == [str(SENDER)]
    assert not [part.defects for part in found.walk() if part.defects]


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:30])
def test_no_field_of_the_table_is_a_formula(renderer: Renderer, text: str) -> None:
    found, plain = (
        list(csv.reader(io.StringIO(rendered(renderer, each).csv.decode("utf-8-sig"), newline="")))
        for each in (text.replace("\0", ""), PLAIN)
    )
    assert [len(row) for row in found] == [len(row) for row in plain]
    texts_only = [field for row in found for field in row if not re.fullmatch(r"-?[\d.]+", field)]
    assert not [field for field in texts_only if re.match(r"[=+\-@\t\r\n]", field)]
    assert not [
        field for field in texts_only if re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", field)
    ]


@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:30])
def test_the_pdf_links_to_the_page_for_paying_alone(
    renderer: Renderer, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "statement.pdf"
    path.write_bytes(rendered(renderer, text.replace("\0", "")).pdf)
    command = [tool("qpdf"), "--qdf", "--object-streams=disable", str(path), "-"]
    objects = subprocess.run(command, capture_output=True, check=True).stdout
    assert {*re.findall(rb"/URI \((.*)\)", objects)} == {FILLED.encode()}
    assert not re.search(rb"/(JavaScript|JS|Launch|OpenAction|GoToR|SubmitForm)\b", objects)


@pytest.mark.parametrize("before", ["", "https://pay.example/"])
@pytest.mark.parametrize("text", PAYLOADS, ids=lambda text: ascii(text)[:30])
def test_what_is_no_link_for_paying_is_no_link(text: str, before: str) -> None:
    bare = Renderer(pdf=False)
    links = (before + text, None)
    made, plain = (bare.render(frozen(complete(branding__pay_link=each))) for each in links)
    assert (made.html, made.text) == (plain.html, plain.text)


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
