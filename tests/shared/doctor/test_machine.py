"""What the checks find on this machine, each made wrong for real."""

import resource
import shutil
import tempfile
from pathlib import Path

import pytest

from shared.doctor import machine
from shared.doctor.finding import Status


async def test_this_machine_is_ok() -> None:
    assert (await machine.temporary_folder()).status is Status.OK
    assert (await machine.open_files(256)).status is Status.OK
    assert (await machine.fonts(machine._FONTS)).status is Status.OK


async def test_every_font_has_its_sum() -> None:
    names = {path.name for path in machine._FONTS.iterdir() if path.suffix in {".otf", ".ttf"}}
    lines = (machine._FONTS / "SHA256SUMS").read_text().splitlines()
    assert {line.split("  ")[1] for line in lines} == names


async def test_fonts_that_are_missing_or_changed_are_found(tmp_path: Path) -> None:
    fonts = shutil.copytree(machine._FONTS, tmp_path / "fonts")
    (fonts / "Inter-Regular.otf").unlink()
    with (fonts / "NotoSansArabic-Bold.ttf").open("ab") as file:
        file.write(b"x")
    said = await machine.fonts(fonts)
    assert said.status is Status.FAILURE
    assert said.found == "missing: Inter-Regular.otf; changed: NotoSansArabic-Bold.ttf"


async def test_no_folder_for_temporary_files_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    said = await machine.temporary_folder()
    assert said.status is Status.FAILURE
    assert "No such file" in said.found


async def test_too_few_open_files_are_found() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert (await machine.open_files(hard + 1)).status is Status.FAILURE


async def test_a_rendering_process_that_does_not_start_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    said = await machine.rendering(pdf=True)
    assert said.status is Status.FAILURE
