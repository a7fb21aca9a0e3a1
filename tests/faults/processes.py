"""The programs under test as real processes, which are killed and stopped by signals."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.commands import Forked

ROOT = Path(__file__).parents[2]


class Child:
    """A running `python -m MODULE ...` in its own process group, with its output in a file.

    It is forked, which saves the second that its imports take, unless a library is to be loaded
    before it, or all are to be started `as_in_production`, or it is of another release, with its
    code in `root` and its libraries in `python`.
    """

    as_in_production = False
    grace = 40.0  # seconds in which a process that was told to stop has to be gone

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        settings: Mapping[str, str],
        folder: Path,
        *,
        root: Path = ROOT,
        python: str = sys.executable,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(root),
            "LC_ALL": "C.UTF-8",
            **settings,
        }
        if self.as_in_production or "LD_PRELOAD" in environ or root != ROOT:
            self._popen: subprocess.Popen[bytes] | Forked = _started(
                (python, "-m", *command), environ, self.log, root
            )
        else:
            appended = [os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for _ in range(2)]
            self._popen = Forked(command[0], command[1:], environ, appended)
        self.pid = self._popen.pid
        self._over = False

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    async def kill(self) -> None:
        """Kill it and its children at once, as a crash would."""
        self._over = True
        self._signal(signal.SIGKILL)
        await self._ended(10)

    async def freeze(self) -> None:
        """Freeze it (SIGSTOP); return once it is stopped."""
        self._signal(signal.SIGSTOP)
        async with asyncio.timeout(180):
            while _state(self.pid) != "T":
                await asyncio.sleep(0.005)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Send SIGTERM, and check that it ends in time with status 0."""
        if self._over:
            return
        self._over = True
        self.thaw()
        await self._heeding()
        assert self.alive, f"{self.name} ended by itself with {self._popen.returncode}"
        os.kill(self.pid, by)
        ended = await self._ended(self.grace)
        if not ended:
            await self.kill()
        assert ended, f"{self.name} did not stop within {self.grace:g} s of {by.name}"
        assert self._popen.returncode == 0, f"{self.name} ended with {self._popen.returncode}"

    def children(self) -> list[int]:
        """The processes that it has started."""
        found: list[int] = []
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(FileNotFoundError):  # a thread that has ended meanwhile
                found += map(int, (task / "children").read_text().split())
        return found

    def peak_memory(self) -> int:
        """The largest resident memory so far, in bytes."""
        return int(_status(self.pid, "VmHWM").split()[0]) * 1024

    def tail(self, most: int = 6000) -> str:
        """The end of its output."""
        return self.log.read_text(errors="replace")[-most:]

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            if self.alive:
                os.killpg(self.pid, number)

    async def _heeding(self) -> None:
        """Wait until it handles SIGTERM, which ends it at once while it is still loading."""
        async with asyncio.timeout(self.grace):
            while self.alive and not _catches(self.pid, signal.SIGTERM):
                await asyncio.sleep(0.01)

    async def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True


def _started(
    command: tuple[str, ...], environ: Mapping[str, str], log: Path, root: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environ,
            cwd=root,
            start_new_session=True,
        )


def _state(pid: int) -> str:
    return _status(pid, "State").split()[0]


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process handles the signal. One that has just ended does not."""
    try:
        caught = int(_status(pid, "SigCgt"), 16)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return bool(caught >> (number - 1) & 1)


def _status(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().split("\n")
    return next(line.partition(":")[2] for line in lines if line.startswith(f"{name}:"))
