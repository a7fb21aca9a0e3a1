import pytest

from shared.statements.colour import ACCENT, DARK, READABLE, contrast, on_dark, tint

GREYS = [f"#{grey:02x}{grey:02x}{grey:02x}" for grey in range(0, 0x77, 7)]
ACCENTS = [ACCENT, "#7a1f5c", "#0000ff", "#b00020", "#767676", *GREYS]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        # Of WebAIM's contrast checker.
        ("#000000", "#ffffff", 21),
        ("#ffffff", "#000000", 21),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
        ("#ff0000", "#ffffff", 4.0),
        ("#123456", "#123456", 1),
    ],
)
def test_the_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("colour", "luminance"), [("#ff0000", 0.2126), ("#00ff00", 0.7152), ("#0000ff", 0.0722)]
)
def test_each_primary_has_its_own_luminance(colour: str, luminance: float) -> None:
    assert contrast(colour, "#000000") == pytest.approx((luminance + 0.05) / 0.05)


@pytest.mark.parametrize("accent", ACCENTS)
def test_the_variants_of_an_accent_can_be_read(accent: str) -> None:
    assert contrast(on_dark(accent), DARK) >= READABLE
    assert contrast(tint(accent), accent) >= READABLE


def test_a_variant_is_no_further_from_the_accent_than_it_must_be() -> None:
    assert on_dark("#58c3a5") == "#58c3a5"
    assert tint("#767676") == "#ffffff"
    assert tint("#727272") == "#f9f9f9", "a tenth of it would be too dark"
    assert tint(ACCENT) != "#ffffff"
