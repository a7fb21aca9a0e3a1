"""A text that a PDF cannot show prevents neither the mail nor the rest of the PDF."""

import datetime as dt
import re
from typing import Any

import pytest

from shared.statements.attachment import UNPRINTABLE
from shared.statements.pdf import STATEMENT, Panicked, Template, Typesetter
from shared.statements.render import Renderer
from shared.statements.scripts import scripts
from tests.shared.statements.reading import pdf_text, words
from tests.shared.statements.snapshots import frozen, row, snapshot
from tests.shared.statements.test_pdf import conforms

#: Hebrew with accents at which typst 0.15.1 counts past the end of a text, both if no font has it
#: and if DejaVu has.
PANIC = (
    "\u0595\u05b2\u05df\u05e5 \u05a4\u05b2\u05b2\u05df\u05b2\u05e5 \u05a4\u05a4\u05e5"
    " \u05e5\u05a4\u05a4 \u05a4\u05e5 \u05a4\u05df\u05e5\u05b2\u0595 \u05b2\u0595\u05e5\u05a4\u0595"
)
_MARK = "\u069f"  # what panics where a test says so


def paid(reference: str, number: str = "INV-1") -> dict[str, Any]:
    return row("2024-11-02", "payment", number, "1", method="Cash", reference=reference)


@pytest.fixture
def panicking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any text with a certain letter makes typst panic, as others do on their own."""
    compile_ = Typesetter._compile

    def struck(self: Typesetter, files: dict[str, bytes], *rest: Any) -> bytes:
        if b"\\u069f" in files.get("view.json", b""):
            raise Panicked("typst gave up: end byte index 3 is out of bounds")
        return compile_(self, files, *rest)

    monkeypatch.setattr(Typesetter, "_compile", struck)


def test_a_text_that_typst_panics_at_is_replaced_and_the_mail_has_it(bundled: Renderer) -> None:
    with_it = [paid(PANIC, "INV-7"), paid("GCB 99231")]
    made = bundled.render(frozen(snapshot(with_it, customer__business_name="محمد")))
    assert [flaw.kind for flaw in made.flaws] == ["replaced_text"]
    assert not re.search("[\u0590-\u06ff]", made.flaws[0].text)
    assert made.pdf is not None
    read = pdf_text(made.pdf)
    assert UNPRINTABLE in read
    assert "GCB 99231" in read
    assert "INV-7" in read
    assert PANIC in made.text
    assert f"printed there reads {UNPRINTABLE}." in words(made.html)


@pytest.mark.usefixtures("panicking")
def test_only_the_culprits_are_replaced(renderer: Renderer) -> None:
    rows = [paid(f"ω{n} {_MARK}" if n in {3, 11} else f"Ж{n} א") for n in range(16)]
    made = renderer.render(frozen(snapshot(rows)))
    read = pdf_text(made.pdf)
    assert read.count(UNPRINTABLE) == 2
    assert read.count("א") == 14
    assert "ω3" in read
    assert [flaw.kind for flaw in made.flaws] == ["replaced_text"]


_TEXTS = [f"א{number}{_MARK}" for number in range(250)]
_OPEN_ITEMS = [
    {"kind": "invoice", "id": 1, "number": text, "date": "2024-11-02", "due_date": None}
    | {"total": 1, "open": 1, "days_overdue": None}
    for text in _TEXTS
]


@pytest.mark.usefixtures("panicking")
@pytest.mark.parametrize(
    "content",
    [
        snapshot([paid(text) for text in _TEXTS]),
        snapshot([], version=2, kind="open-items", open_items=_OPEN_ITEMS),
    ],
    ids=["activity", "open-items"],
)
def test_a_long_statement_is_not_tried_text_by_text_and_leaves_no_memory(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]
) -> None:
    tried = forgot = 0
    print_, forget = Typesetter.typeset, Typesetter._forget

    def counted(self: Typesetter, *args: Any, **kwargs: Any) -> Any:
        nonlocal tried
        tried += 1
        return print_(self, *args, **kwargs)

    def forgotten(self: Typesetter) -> None:
        nonlocal forgot
        forgot += 1
        forget(self)

    monkeypatch.setattr(Typesetter, "typeset", counted)
    monkeypatch.setattr(Typesetter, "_forget", forgotten)
    made = renderer.render(frozen(content))
    assert made.pdf is not None
    assert tried == forgot == 2


def test_a_mail_goes_out_without_a_pdf_that_cannot_be_made_and_says_so(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def struck(*_: Any) -> bytes:
        raise Panicked("typst gave up")

    monkeypatch.setattr(Typesetter, "_compile", struck)
    made = renderer.render(frozen(snapshot()))
    assert made.pdf is None
    assert [flaw.kind for flaw in made.flaws] == ["no_pdf"]
    for shown in (words(made.html), made.text):
        assert "The full statement could not be attached as a PDF this time." in shown
        assert "is attached" not in shown


def test_what_a_panic_quotes_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        pass

    class Compiler:
        def compile_with_warnings(self, *_: Any, **__: Any) -> None:
            raise Panic("byte index 1 is not a boundary; it is inside 'é' (bytes 0..2) of `Zoé`")

    typesetter = Typesetter(Template(STATEMENT.path))
    monkeypatch.setattr(typesetter, "_compiler", Compiler())
    with pytest.raises(Panicked) as caught:
        typesetter.typeset({"rows": []}, dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    assert "Zoé" not in str(caught.value)
    assert "byte index 1" in str(caught.value)


def test_symbols_without_a_font_are_dropped(bundled: Renderer) -> None:
    made = bundled.render(frozen(snapshot([paid("Thanks 🎉!")], customer__business_name="👩‍👧")))
    assert made.flaws == ()
    assert conforms(made.pdf)
    read = pdf_text(made.pdf)
    assert "Thanks !" in read
    assert "🎉" in made.text


def test_letters_without_a_font_are_told_by_script(bundled: Renderer) -> None:
    made = bundled.render(frozen(snapshot(customer__business_name="A ไทย 漢字")))
    (flaw,) = made.flaws
    assert flaw.kind == "missing_letters"
    assert flaw.text == "letters without a font in the PDF: CJK, Thai"
    assert "Some letters could not be printed there." in made.text


@pytest.mark.parametrize(
    ("letters", "names"),
    [
        ("ร้านอาหาร", ("Thai",)),
        ("株式会社さくら", ("CJK", "Hiragana")),
        ("مؤسسة", ("Arabic",)),
        ("საქ", ("Georgian",)),
        ("हिन्दी", ("Devanagari",)),
        ("한국", ("Hangul",)),
        ("ខ្មែ", ("Khmer",)),
        ("🎉❤️\u0378", ("symbols",)),
    ],
)
def test_scripts_have_names(letters: str, names: tuple[str, ...]) -> None:
    assert scripts(letters) == names
