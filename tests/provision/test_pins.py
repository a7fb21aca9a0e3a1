import re
import tomllib
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_every_pin_has_hashes_and_no_address(project: Path, name: str) -> None:
    text = (project / "requirements" / f"{name}.txt").read_text()
    for pin in re.split(r"\n(?=\S)", text.strip()):
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( \\\n    --hash=sha256:[0-9a-f]{64})+", pin)


def test_all_that_the_project_asks_for_is_pinned(project: Path) -> None:
    asked = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    runtime, dev = (_pinned(project, name) for name in ("runtime", "dev"))
    assert {_name(wish) for wish in asked["dependencies"]} <= runtime
    assert {_name(wish) for wish in asked["optional-dependencies"]["dev"]} | runtime <= dev


def _pinned(project: Path, name: str) -> set[str]:
    return set(
        re.findall(r"^(\S+)==", (project / f"requirements/{name}.txt").read_text(), re.MULTILINE)
    )


def _name(wish: str) -> str:
    return re.split(r"[^\w.-]", wish)[0].lower().replace("_", "-").replace(".", "-")
