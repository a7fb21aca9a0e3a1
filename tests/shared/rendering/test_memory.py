"""How much memory a long statement takes, measured in a process of its own."""

import os
import subprocess
import sys

from tests.shared.statements.accounts import account
from tests.shared.statements.snapshots import frozen

_ROWS = 2_000
_KILOBYTES = 60  # for a row: 52 as it is, 65 if cells have room around them
_PROGRAM = """
import sys
from pathlib import Path
from shared.statements.render import Renderer

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])

renderer = Renderer()
short, long = sys.stdin.buffer.read().split(b"\\0")
assert renderer.render(short).pdf
before = peak()
assert renderer.render(long).pdf
print(peak() - before)
"""


def test_a_long_statement_takes_little_memory_for_each_row() -> None:
    contents = [frozen(account(rows, kind="activity")) for rows in (12, _ROWS)]
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=b"\0".join(contents),
        stdout=subprocess.PIPE,
        env=os.environ | {"RAYON_NUM_THREADS": "2"},  # more threads take more
        check=True,
    )
    assert int(run.stdout) / _ROWS < _KILOBYTES
