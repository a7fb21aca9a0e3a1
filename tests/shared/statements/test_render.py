import subprocess
import sys

import pytest

from shared.statements.decoding import StatementError
from shared.statements.render import Renderer


def test_bytes_that_are_no_statement_raise_a_domain_error(renderer: Renderer) -> None:
    with pytest.raises(StatementError, match="version"):
        renderer.render(b"{}", None)


def test_importing_reads_no_template_and_no_font() -> None:
    program = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import shared.statements.render
ours = [path for path in opened if "shared/statements/" in path]
print([path for path in ours if not path.endswith((".py", ".pyc"))])
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == "[]"
