import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provision.account import Account
from provision.processes import Process, spawn

_GRACE = 15


@dataclass(frozen=True)
class Background:
    """A process that outlives the demo's command, with its own session, log and record."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """The log since its last start."""
        return self.folder / "log" / f"{self.name}.log"

    @property
    def process(self) -> Process | None:
        """The process if it runs; never another process with the same id."""
        return Process.load(self._record)

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start it, after stopping a running one."""
        self.stop()
        for file in (self.log, self._record):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
        account = Account(os.geteuid(), os.getegid())
        spawn(command, account=account, environment=environment, log=self.log).save(self._record)

    def stop(self) -> bool:
        """Stop it with SIGTERM, then its whole session with SIGKILL; return whether it ran."""
        process = self.process
        if process is None:
            return False
        process.signal(signal.SIGTERM)
        if not process.wait(_GRACE):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(_GRACE)
        self._record.unlink(missing_ok=True)
        return True

    @property
    def _record(self) -> Path:
        return self.folder / "run" / f"{self.name}.process"
