import re
import subprocess
from pathlib import Path

import pytest

from shared.statements import pdf as pdf_module
from shared.statements.attachment import AttachmentMaker
from shared.statements.model import Statement
from shared.statements.render import Renderer
from shared.statements.view import view
from tests.shared.statements.reading import pdf_text, tool
from tests.shared.statements.snapshots import frozen, many, row, snapshot

TYPST = '#panic("x") $x^2$ *bold* _it_ `raw` \\u{41} @ref <label> // no /* c */ = h'


def conforms(pdf: bytes) -> bool:
    return b"pdfaid:part" in pdf and b"pdfuaid:part" in pdf


def test_the_pdf_is_archival_tagged_and_sound(renderer: Renderer, tmp_path: Path) -> None:
    path = tmp_path / "statement.pdf"
    path.write_bytes(renderer.render(frozen(snapshot())).pdf)
    assert conforms(path.read_bytes())
    check = subprocess.run([tool("qpdf"), "--check", path], capture_output=True, check=False)
    assert check.returncode == 0, check.stdout
    info = subprocess.run([tool("pdfinfo"), path], capture_output=True, check=True).stdout.decode()
    assert re.search(r"Tagged: +yes", info)
    assert re.search(r"Page size: .*A4", info)
    assert "Statement of account: Kente & Co, 1–30 November 2024" in info
    fonts = subprocess.run([tool("pdffonts"), path], capture_output=True, check=True)
    names = {line.split()[0].partition("+")[2] for line in fonts.stdout.decode().splitlines()[2:]}
    assert names
    assert all(name.startswith(("Inter-Regular", "Inter-SemiBold")) for name in names)


def test_the_same_input_gives_the_same_bytes(renderer: Renderer) -> None:
    content = frozen(snapshot(many(30)))
    first, again, apart = (made.render(content, "m") for made in (renderer, renderer, Renderer()))
    assert first == again == apart
    later = frozen(snapshot(many(30), generated_at="2026-11-22T16:00:01Z"))
    assert renderer.render(later, "m").pdf != first.pdf


def test_two_thousand_transactions_repeat_the_header_and_number_the_pages(
    renderer: Renderer,
) -> None:
    pages = pdf_text(renderer.render(frozen(snapshot(many(2000)))).pdf).split("\f")[:-1]
    assert len(pages) > 45
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert re.search(r"Date\s+Transaction\s+Charges\s+Credits\s+Balance", page)
    text = "".join(pages)
    assert len(re.findall(r"(?:Invoice|Payment on) INV-\d{5}", text)) == 2000
    assert "302,350.00" in pages[-1]


def test_letters_of_the_vendored_font_conform(renderer: Renderer) -> None:
    name = "Ɛsi Ɔfori Ŋ ₵ ₦ € Жанна Ωμέγα Łódź Nguyễn ẹ̀"
    pdf = renderer.render(frozen(snapshot(customer__business_name=name))).pdf
    assert conforms(pdf)
    assert "Ɛsi Ɔfori Ŋ ₵ ₦ € Жанна Ωμέγα Łódź" in pdf_text(pdf)


@pytest.mark.parametrize("name", ["日本布店", "😀👩‍👩‍👧", "قماش دار", "\U0010fffd", "\ufffd"])
def test_a_script_without_a_font_still_gives_a_statement(renderer: Renderer, name: str) -> None:
    pdf = renderer.render(frozen(snapshot(customer__business_name=name))).pdf
    assert pdf.startswith(b"%PDF-1.7")
    assert "3,116.7499" in pdf_text(pdf)


def test_typst_markup_is_only_ever_shown(renderer: Renderer) -> None:
    rows = [row("2024-11-01", "invoice", TYPST, "1", method=TYPST)]
    content = snapshot(rows, business__name=TYPST, customer__business_name=TYPST)
    shown = "".join(pdf_text(renderer.render(frozen(content)).pdf).split())
    assert shown.count("$x^2$*bold*_it_`raw`\\u{41}@ref<label>//no/*c*/=h") >= 1
    assert shown.count('#panic("x")') == 4


@pytest.mark.parametrize("word", ["W" * 200, "😀" * 100, "x" * 400], ids=["W", "emoji", "x"])
def test_a_very_long_word_stays_on_the_page(renderer: Renderer, tmp_path: Path, word: str) -> None:
    rows = [row("2024-11-01", "invoice", word, "99999999999999.9999", reference=word)]
    content = snapshot(rows, business__name=word, customer__business_name=word)
    path = tmp_path / "long.pdf"
    path.write_bytes(renderer.render(frozen(content)).pdf)
    boxes = subprocess.run(
        [tool("pdftotext"), "-bbox", path, "-"], capture_output=True, check=True
    ).stdout.decode(errors="replace")
    right = [float(edge) for edge in re.findall(r'xMax="([\d.]+)"', boxes)]
    assert right
    assert max(right) < 595


def test_a_missing_font_stops_the_press() -> None:
    maker = AttachmentMaker()
    sources = maker._typesetter._sources
    sources["prelude.typ"] = sources["prelude.typ"].replace(b'("Inter",', b'("Nowhere Sans",')
    statement = Statement.parse(frozen(snapshot()))
    pdf, (flaw,) = maker.attachment(view(statement), statement.generated_at)
    assert pdf is None
    assert "unknown font family: nowhere sans" in flaw.text


def test_fonts_are_small_and_carry_their_licence() -> None:
    fonts = Path(pdf_module.__file__).parent / "fonts"
    assert sum(path.stat().st_size for path in fonts.iterdir()) < 2_000_000
    assert "SIL OPEN FONT LICENSE" in (fonts / "OFL.txt").read_text(encoding="utf-8")
