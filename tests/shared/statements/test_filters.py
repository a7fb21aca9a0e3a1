import html
import re

import pytest

from shared.statements.escaping import Html, escaped
from shared.statements.filters import fixed, justed, lined, listed, unbroken

SPAN = '<span style="white-space:nowrap">'


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        ("1,234.50", "1,234.50\u2007\u2007"),
        ("−0.0001", "−0.0001"),
        ("12", "12\u2008\u2007\u2007\u2007\u2007"),
        ("10.005", "10.005\u2007"),
    ],
)
def test_decimal_points_of_a_column_line_up(figure: str, shown: str) -> None:
    assert lined(figure, 4, ".") == shown
    assert justed(figure, 4, ".", 12) == shown.replace("\u2007", " ").replace("\u2008", " ").rjust(
        12
    )


def test_figures_of_the_same_decimals_stay() -> None:
    assert lined("1.234,50", 2, ",") == "1.234,50"
    assert lined("1,234", 0, ".") == "1,234"
    assert lined("\u0661\u066b\u0665", 2, "\u066b") == "\u0661\u066b\u0665\u2007"


def test_a_number_is_not_broken_at_its_hyphens_unless_it_is_long() -> None:
    assert unbroken("Invoice INV-5/6") == f"Invoice {SPAN}INV-5/6</span>"
    assert unbroken("Invoice 5") == "Invoice 5"
    long = "INV-" + "1" * 20
    assert unbroken(long) == long
    assert fixed("15 Jul 2026") == "15\u00a0Jul\u00a02026"


def test_parts_keep_their_own_direction() -> None:
    parts = ["1\u00a0Jul", "Cash", "A-1", "نقد"]
    assert listed(parts, isolates=False) == (
        f"1\u00a0Jul · Cash · {SPAN}A-1</span> · <bdi>نقد</bdi>"
    )
    assert listed(parts[:2], isolates=True) == "<bdi>1\u00a0Jul</bdi> · <bdi>Cash</bdi>"


@pytest.mark.parametrize("text", ["<b>-</b>", "a-b&c <i> \"x\" 'y'", "</span>-", "&lt;-", "ä-<b>"])
def test_what_is_html_is_escaped_once(text: str) -> None:
    for made in (unbroken(text), listed([text], isolates=False), listed([text], isolates=True)):
        assert escaped(made) is made
        bare = re.sub(f"{SPAN}|</span>|</?bdi>", "", made)
        assert "<" not in bare
        assert html.unescape(bare) == text
    assert escaped(text) == html.escape(text)
    assert escaped(Html("<b>")) == "<b>"
    assert escaped(5) == "5"
