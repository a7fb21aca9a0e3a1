import os
import sys
from pathlib import Path

from demo.processes import Background
from provision.processes import Process

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


def test_it_starts_and_stops(tmp_path: Path) -> None:
    background = Background("one", tmp_path)
    assert not background.stop()
    background.start(SLEEP, os.environ)
    process = background.process
    assert process is not None
    assert os.getsid(process.pid) == process.pid
    assert Background("one", tmp_path).stop()
    assert not process.alive
    assert background.process is None


def test_a_second_start_replaces_the_first(tmp_path: Path) -> None:
    background = Background("one", tmp_path)
    background.start(SLEEP, os.environ)
    first = background.process
    background.start(SLEEP, os.environ)
    second = background.process
    assert first
    assert second
    assert not first.alive
    assert second.alive
    background.stop()


def test_another_process_with_the_recorded_id_is_left_alone(tmp_path: Path) -> None:
    background = Background("one", tmp_path)
    background.start(SLEEP, os.environ)
    process = background.process
    assert process is not None
    record = tmp_path / "run" / "one.process"
    genuine = record.read_text()
    record.write_text(f"{process.pid} {int(process.started) - 1}\n")
    assert not background.stop()
    assert Process.of(process.pid) == process
    record.write_text(genuine)
    assert background.stop()
