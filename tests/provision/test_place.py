"""Folders of servers, made by several processes at once."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from provision import place as places
from provision.place import place, remove
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


def test_what_need_not_last_lies_in_memory_if_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (memory := tmp_path / "memory").mkdir()
    (checkout := tmp_path / "checkout").mkdir()
    monkeypatch.setattr(places, "_MEMORY", memory)
    monkeypatch.setattr(places, "_is_roomy", lambda folder: folder == memory)
    lasting, kept = place(checkout, "demo"), place(checkout, "test", lasting=False)
    assert not lasting.is_relative_to(memory)
    assert kept.parent.parent == memory
    assert place(checkout, "test") == kept
    remove(checkout, "test")
    assert list(memory.iterdir()) == []
    monkeypatch.setattr(places, "_is_roomy", lambda _: False)
    assert not place(checkout, "test", lasting=False).is_relative_to(memory)
    remove(checkout, "test")


def test_a_folder_on_a_disk_is_no_memory(tmp_path: Path) -> None:
    assert not places._is_roomy(tmp_path)
