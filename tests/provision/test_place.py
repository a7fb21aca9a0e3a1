"""Folders of servers, made by several processes at once."""

import subprocess
import sys
import time
from pathlib import Path

from provision.place import place
from tests.servers import ROOT

_MAKE = """
import sys, time
from pathlib import Path
from provision.place import place
time.sleep(max(0, float(sys.argv[2]) - time.time()))
for number in range(200):
    place(Path(sys.argv[1]), str(number))
"""


def test_processes_that_begin_together_get_the_same_folder(tmp_path: Path) -> None:
    start = str(time.time() + 1)
    several = [
        subprocess.Popen([sys.executable, "-c", _MAKE, tmp_path, start], cwd=ROOT) for _ in range(3)
    ]
    assert [each.wait(60) for each in several] == [0, 0, 0]
    assert place(tmp_path, "0").is_dir()
