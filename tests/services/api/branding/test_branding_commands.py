"""The commands about how a business's statements look."""

from pathlib import Path

import pytest

from tests.services.api.branding.pictures import png
from tests.services.api.command import run


@pytest.fixture
def said(golden: str) -> dict[str, str]:
    return {"DATABASE_URL": golden}


async def test_fields_are_set_one_by_one_and_cleared(said: dict[str, str]) -> None:
    first = await run(
        "branding", "set", "--business", "1", "--accent", "#0b5c4d", "--paper", "letter", **said
    )
    assert first.status == 0, first.err
    second = await run(
        "branding", "set", "--business", "1", "--how-to-pay", "Bank\nAccount 1", "--accent", "",
        **said,
    )  # fmt: skip
    assert second.status == 0, second.err
    shown = await run("branding", "show", "--business", "1", **said)
    lines = shown.out.splitlines()
    assert {"accent: -", "paper: letter", "how_to_pay: Bank\\nAccount 1"} <= set(lines)


async def test_nothing_to_change_is_said(said: dict[str, str]) -> None:
    nothing = await run("branding", "set", "--business", "1", **said)
    assert (nothing.status, "at least one field" in nothing.err) == (2, True)
    with_csv = await run("branding", "set", "--business", "1", "--attach-csv", "true", **said)
    assert "attach_csv: true" in with_csv.out.splitlines()


async def test_a_bad_value_and_an_unknown_business_are_said_in_one_line(
    said: dict[str, str],
) -> None:
    bad = await run("branding", "set", "--business", "1", "--accent", "#eeeeee", **said)
    assert (bad.status, bad.out) == (1, "")
    assert "accent: has a contrast of 1.16:1 with white" in bad.err
    for command in (("set", "--paper", "a4"), ("show",), ("logo", "--remove")):
        unknown = await run("branding", *command, "--business", "99", **said)
        assert (unknown.status, unknown.out) == (1, "")
        assert "no such business" in unknown.err


async def test_a_logo_is_set_from_a_file_and_removed(said: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(png((300, 100)))
    file = str(tmp_path / "logo.png")
    made = await run("branding", "logo", "--business", "1", file, **said)
    assert "logo: 308 by 108 pixels" in made.out, made.err
    (tmp_path / "text.png").write_text("no picture")
    bad = await run("branding", "logo", "--business", "1", str(tmp_path / "text.png"), **said)
    assert bad.status == 2
    assert "should be a PNG or a JPEG picture" in bad.err
    gone = await run("branding", "logo", "--business", "1", "--remove", **said)
    assert "logo: -" in gone.out, gone.err
    both = await run("branding", "logo", "--business", "1", file, "--remove", **said)
    assert both.status == 2
