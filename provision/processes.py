import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from provision.account import Account


@dataclass(frozen=True)
class Process:
    """A process of this machine, distinguished from a later one with the same id."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """Return the process that has this id now, or None if there is none or it is dead."""
        folder = Path(f"/proc/{pid}")
        try:
            # The name in brackets may contain anything, including brackets and spaces.
            state, *rest = (folder / "stat").read_text().rpartition(")")[2].split()
            # Its sockets are still open while its other threads end.
            dead = state in {"Z", "X"} and len(list((folder / "task").iterdir())) == 1
        except OSError:
            return None
        return None if dead else cls(pid, rest[18])

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """Return the process recorded in this file if it still runs."""
        try:
            pid, started = file.read_text().split()
        except (OSError, ValueError):
            return None
        process = cls.of(int(pid))
        return process if process and process.started == started else None

    def save(self, file: Path) -> None:
        """Record the process in this file."""
        file.write_text(f"{self.pid} {self.started}\n")

    @property
    def alive(self) -> bool:
        """Whether it still runs; a child of ours that ended is reaped."""
        if Process.of(self.pid) == self:
            return True
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return False

    def mentions(self, path: Path) -> bool:
        """Whether its command line names this path."""
        try:
            return os.fsencode(path) in Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return False

    def children(self) -> list["Process"]:
        """Return the direct children that run now."""
        found: list[Process] = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                child = Process.of(int(folder.name)) if parent == self.pid else None
                found += [child] if child else []
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Return whether the process ended within this time."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def spawn(
    command: Sequence[str | Path], *, account: Account, environment: Mapping[str, str], log: Path
) -> Process:
    """Start a server that outlives this program, in its own session, with its output in a file."""
    with account.open_log(log) as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd="/",
            start_new_session=True,
            **account.options,
        )
    child.returncode = 0  # it is watched by its id; otherwise Popen would warn when it is collected
    process = Process.of(child.pid)
    if process is None:
        raise RuntimeError(f"{command[0]} ended at once, see {log}")
    return process
