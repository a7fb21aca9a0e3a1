import subprocess
import sys

import pytest

from shared.statement.model import StatementError
from shared.statement.pdf import Press, TypesettingError
from shared.statement.render import Renderer
from tests.shared.statement.snapshots import frozen, snapshot


def test_bytes_that_are_no_statement_raise_a_domain_error(renderer: Renderer) -> None:
    with pytest.raises(StatementError, match="version"):
        renderer.render(b"{}", None)


def test_a_panic_of_the_typesetter_is_an_ordinary_error(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Panic(BaseException):
        pass

    def panics(*arguments: object) -> bytes:
        raise Panic("index out of bounds")

    monkeypatch.setattr(Press, "print", panics)
    with pytest.raises(TypesettingError, match="index out of bounds"):
        renderer.render(frozen(snapshot()))


def test_importing_reads_no_template_and_no_font() -> None:
    program = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import shared.statement.render
print([path for path in opened if "statement" in path and not path.endswith((".py", ".pyc"))])
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == "[]"
