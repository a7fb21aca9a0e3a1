from pathlib import Path

import pytest

from tests.house.missing_names import missing

KEPT = """
import ast
from shared import gone as elsewhere
LIMIT = 3
if LIMIT:
    maybe = 1
class Kept:
    inner = 2
def kept(gone):
    local = gone
"""
GOOD = """
import shared
from tests import kept
from tests.kept import LIMIT, Kept, ast, maybe
def test_it(monkeypatch):
    from tests.kept import kept as same
    monkeypatch.setattr(kept, "LIMIT", kept.kept(1))
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "tests" / "kept.py").write_text(KEPT)
    return tmp_path


def lines(house: Path, text: str) -> list[str]:
    file = house / "tests" / "test_it.py"
    file.write_text(text)
    return [*missing(file, house)]


def test_what_is_there_is_not_told(house: Path) -> None:
    assert lines(house, GOOD) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("from tests.kept import gone", "tests.kept.gone does not exist"),
        ("from tests.kept import local", "tests.kept.local does not exist"),
        ("from tests.kept import inner", "tests.kept.inner does not exist"),
        ("from tests.gone import kept", "tests.gone.kept does not exist"),
        ("import tests.gone", "tests.gone does not exist"),
        ("def test():\n    from shared import gone", "shared.gone does not exist"),
        ("from tests import kept\nkept.gone(1)", "tests.kept has no gone"),
        ("from tests import kept as k\nm.setattr(k, 'gone', 1)", "tests.kept has no gone"),
    ],
)
def test_what_was_renamed_in_the_neighbour_is_told(house: Path, text: str, told: str) -> None:
    line = text.count("\n") + 1
    assert lines(house, text) == [f"tests/test_it.py:{line}: {told}"]


def test_who_has_a_name_of_its_own_is_left_alone(house: Path) -> None:
    assert lines(house, "from tests import kept\ndef test(kept):\n    kept.gone()") == []
