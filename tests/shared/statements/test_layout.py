"""What is estimated of a text before it is laid out is never less than its true width."""

import json
from pathlib import Path

import pytest
import typst

from shared.statements import layout as layout_module
from shared.statements.layout import layout
from shared.statements.model import Statement
from shared.statements.view import view
from tests.shared.statements.accounts import account
from tests.shared.statements.snapshots import frozen, row

_FONTS = Path(layout_module.__file__).parent / "fonts"
_SOURCE = b"""
#set text(font: ("Inter", "Noto Sans Arabic"), size: 100pt, number-width: "tabular")
#context [#metadata(json("texts.json").map(body => measure(body).width / 100pt))<widths>]
"""
_TEXTS = (
    *map(chr, range(0x20, 0x7F)),
    *map(chr, range(0xA0, 0x250)),
    *map(chr, range(0x620, 0x66D)),
    "Invoice INV-2024-0117",
    "due 15 Nov 2024 · Überweisung · WWW/MMM-@@@",
    "Échéance le 15 déc. 2024",
    "فاتورة INV-00012 تستحق في \u0661\u0665 ديسمبر \u0662\u0660\u0662\u0664",
    "\u2068مؤسسة\u2069 ضصضص سشسش",
)


def layout_of(titles: list[str]) -> dict[str, object]:
    shown = view(Statement.parse(frozen(account(len(titles), items=1))))
    for part, title in zip(shown["rows"], titles, strict=True):
        part["title"] = title
    return layout(shown)


def test_no_text_is_wider_than_estimated() -> None:
    files = {"main.typ": _SOURCE, "texts.json": json.dumps(_TEXTS).encode()}
    found = typst.query(
        files, "<widths>", field="value", font_paths=[str(_FONTS)], ignore_system_fonts=True
    )
    (true,) = json.loads(found)
    estimated = [width for width, _ in layout_of(list(_TEXTS))["rows"]]
    short = {
        text: (is_, said)
        for text, is_, said in zip(_TEXTS, true, estimated, strict=True)
        if is_ > said + 0.001
    }
    assert short == {}


@pytest.mark.parametrize("text", ["日本", "ไทย", "한국", "हिन्दी", "🎉", "\ufdfd", "ﷺ"])
def test_letters_of_unknown_width_fit_nowhere(text: str) -> None:
    ((width, _),) = layout_of([text])["rows"]
    assert width > 50


def test_columns_get_their_width_from_few_shapes() -> None:
    rows = [row(f"2024-11-{n % 28 + 1:02}", "invoice", f"INV-{n}", f"{n}.5") for n in range(500)]
    shown = layout(view(Statement.parse(frozen(account(rows, items=1)))))
    assert shown["date"] == ["0 Nov 0000", "00 Nov 0000"]
    assert shown["charge"] == ["0", "00", "000"]
