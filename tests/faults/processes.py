"""The programs under test as real processes, to be killed and stopped by signal."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]

_GRACE = 40.0  # seconds in which a process that was told to stop has to be gone


class Child:
    """A running `python -m MODULE ...` in a process group of its own, its output in a file."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        settings: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            **settings,
        }
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environ,
                cwd=ROOT,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    async def kill(self) -> None:
        """End it and its children at once, as a crash would."""
        self._signal(signal.SIGKILL)
        await self._ended(10)

    async def freeze(self) -> None:
        """Stop it in the middle of whatever it does; returns once it stands still."""
        self._signal(signal.SIGSTOP)
        async with asyncio.timeout(5):
            while _state(self.pid) != "T":
                await asyncio.sleep(0.005)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Tell it to end in order, and insist that it does so in time and with status 0."""
        if not self.alive:
            return
        self.thaw()
        os.kill(self.pid, signal.SIGTERM)
        ended = await self._ended(_GRACE)
        if not ended:
            await self.kill()
        assert ended, f"{self.name} did not stop within {_GRACE:g} s of SIGTERM"
        assert self._popen.returncode == 0, f"{self.name} ended with {self._popen.returncode}"

    def peak_memory(self) -> int:
        """The most memory that it has had resident so far, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.split("\n") if "VmHWM" in line)

    def tail(self, most: int = 6000) -> str:
        """What it wrote last."""
        return self.log.read_text(errors="replace")[-most:]

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            os.killpg(self.pid, number)

    async def _ended(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
