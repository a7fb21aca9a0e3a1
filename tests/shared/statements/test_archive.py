"""The PDF is an archive of its statement: standards, the snapshot inside, its hash at the foot."""

import hashlib
import io
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pdfua import validate

from shared.statements.language import LANGUAGES
from shared.statements.render import Renderer
from tests.shared.statements.accounts import account
from tests.shared.statements.reading import pdf_text, tool
from tests.shared.statements.snapshots import frozen, many, snapshot

ACCOUNTS = {
    "plain": snapshot(),
    "all": account(12),
    "long": account(150),
    "french": account(30, locale="fr", paper="letter"),
    "arabic": account(30, locale="ar-EG"),
    "open items": account(3, kind="open-items"),
    "empty": snapshot([], opening="0"),
}


def made(content: dict[str, Any], **options: Any) -> bytes:
    pdf = Renderer(public_url="https://ledger.example/").render(frozen(content), **options).pdf
    assert pdf is not None
    return pdf


@pytest.mark.parametrize("name", ACCOUNTS)
def test_every_pdf_conforms(name: str, tmp_path: Path) -> None:
    assert_conforms(made(ACCOUNTS[name]), tmp_path / "statement.pdf")


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_fonts_of_the_package_have_the_letters_of_every_language(
    bundled: Renderer, tmp_path: Path, locale: str
) -> None:
    content = account(30, locale=locale)
    if locale == "ar":
        content["customer"]["business_name"] = "مؤسسة محمد للتجارة"
    rendered = bundled.render(frozen(content))
    assert rendered.flaws == ()
    assert_conforms(rendered.pdf or b"", tmp_path / "statement.pdf")


def assert_conforms(pdf: bytes, path: Path) -> None:
    """Assert that a PDF is what it says to be: an archive, for readers of all kinds, and sound."""
    path.write_bytes(pdf)
    assert b"pdfaid:part>3<" in pdf
    assert b"pdfaid:conformance>A<" in pdf
    assert b"pdfuaid:part>1<" in pdf
    check = subprocess.run([tool("qpdf"), "--check", path], capture_output=True, check=False)
    assert check.returncode == 0, check.stdout
    assert [finding.message for finding in validate(str(path)).findings] == []


def test_the_snapshot_is_inside_byte_for_byte() -> None:
    content = frozen(account(12, how_to_pay="“Ɔ” // no comment"))
    pdf = Renderer().render(content).pdf
    assert pdf is not None
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        (name,) = opened.attachments
        spec = opened.attachments[name]
        assert name == "statement.json"
        assert spec.get_file().read_bytes() == content
        assert spec.get_file().mime_type == "application/json"
        assert spec.obj["/AFRelationship"] == "/Source"
        assert "12-2024-11-30" in spec.description


def test_the_hash_is_at_the_foot_of_each_page() -> None:
    content = account(150)
    digest = hashlib.sha256(frozen(content)).hexdigest()
    pages = pdf_text(made(content)).split("\f")[:-1]
    assert len(pages) > 3
    for page in pages:
        assert digest in page.replace(" ", "").replace(f"/verify/{digest}", "")
        assert f"Check this statement: https://ledger.example/verify/{digest}" in page
        assert "Preview" not in page


def test_a_preview_has_no_hash_and_is_the_same_otherwise() -> None:
    content = account(12)
    digest = hashlib.sha256(frozen(content)).hexdigest()
    real, preview = (pdf_text(made(content, preview=preview)) for preview in (False, True))
    assert "Preview" in preview
    assert digest not in preview.replace(" ", "")
    assert "/verify/" not in preview
    assert before(preview, "Prepared") == before(real, "Prepared")


def before(text: str, word: str) -> list[str]:
    return text.partition(word)[0].split()


@pytest.mark.parametrize("public_url", [None, "http://127.0.0.1:8080"])
def test_without_a_public_url_only_the_hash_is_printed(public_url: str | None) -> None:
    renderer = Renderer(public_url=public_url)
    read = pdf_text(renderer.render(frozen(snapshot())).pdf or b"")
    assert "SHA-256" in read
    assert "/verify/" not in read


def test_a_statement_whose_letters_have_no_font_still_has_the_snapshot_inside(
    bundled: Renderer,
) -> None:
    content = frozen(snapshot(customer__business_name="ไทย"))
    rendered = bundled.render(content)
    assert [flaw.kind for flaw in rendered.flaws] == ["missing_letters"]
    with pikepdf.open(io.BytesIO(rendered.pdf or b"")) as opened:
        assert opened.attachments["statement.json"].get_file().read_bytes() == content


def test_a_long_statement_can_be_rendered_again() -> None:
    renderer = Renderer()
    first, second = (renderer.render(frozen(snapshot(many(300)))).pdf for _ in range(2))
    assert first == second
