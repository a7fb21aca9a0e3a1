"""To import a module of ours reads no environment and no file of ours, and connects to nothing."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for part in ("services", "shared") for path in (ROOT / part).rglob("*.py"))
# It hands the rendering processes an environment without our secrets.
PASSES_ON = {"shared/rendering/process.py"}
PROGRAM = """
import importlib, json, sys
root, names = sys.argv[1], json.loads(sys.argv[2])
met = []
def hear(event, args):
    if event == "socket.connect":
        met.append(event)
    if event == "open" and isinstance(args[0], str) and args[0].startswith(root + "/s"):
        if not args[0].endswith((".py", ".pyc")) and ".pyc." not in args[0]:
            met.append(args[0])
sys.addaudithook(hear)
for name in names:
    importlib.import_module(name)
print(json.dumps(met))
"""


def test_nothing_is_opened_or_connected_to() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES]
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT), json.dumps(names)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == []


@pytest.mark.parametrize("program", ["services.api.app", "services.mailer.app"])
def test_processes_that_serve_leave_native_writers_to_their_children(program: str) -> None:
    text = f"import sys, {program}; print({{'typst', 'rustpy_xlsxwriter'}} & sys.modules.keys())"
    run = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


def test_the_environment_is_read_where_a_program_begins() -> None:
    readers = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}:
                readers.add(str(path.relative_to(ROOT)))
    begins = {name for name in readers if name.endswith("/__main__.py")}
    assert begins
    assert readers - begins == PASSES_ON
