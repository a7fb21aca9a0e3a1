"""Processor time and memory of processes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.servers import Served

_TICK = 100  # of a second, in /proc
_PARENT, _SPENT = 1, slice(11, 15)  # by themselves, and by children that have ended


def parent(pid: int) -> int:
    """Return the parent of a process."""
    return int(_fields(pid)[_PARENT])


def spent(*pids: int) -> float:
    """Return the seconds of processor time of these processes and of their children until now."""
    total = 0.0
    for pid in pids:
        try:
            total += sum(map(int, _fields(pid)[_SPENT])) / _TICK
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            continue  # it has ended
        total += spent(*map(int, children))
    return total


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextmanager
def sampled(served: Served) -> Iterator[list[int]]:
    """Sample the memory of a server, in KiB, until the end."""
    samples, over = [served.memory], threading.Event()

    def sample() -> None:
        while not over.wait(0.2):
            samples.append(served.memory)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
