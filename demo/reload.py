"""Watches changes of the code and the logs of processes."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

# The folders from which the processes import.
FOLDERS: Mapping[str, tuple[str, ...]] = {
    "api": ("services/api", "shared"),
    "relay": ("services/api", "shared"),
    "mailer": ("services/mailer", "shared"),
    "returns": ("services/mailer", "shared"),
}

_Times = dict[Path, int]


class Code:
    """The files that the processes are made of."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known = self._times()

    def changed(self) -> list[Path]:
        """Return the files that were written, made or deleted since the last call."""
        before, self._known = self._known, self._times()
        return sorted({path for path, _ in before.items() ^ self._known.items()})

    def _times(self) -> _Times:
        found: _Times = {}
        for folder in ("services", "shared"):
            for path in (self._root / folder).rglob("*"):
                with suppress(FileNotFoundError):  # an editor's temporary file may be gone again
                    status = path.stat()
                    if "__pycache__" not in path.parts and S_ISREG(status.st_mode):
                        found[path.relative_to(self._root)] = status.st_mtime_ns
        return found


def concerned(paths: list[Path]) -> list[str]:
    """Return the processes that import from one of these files."""
    return [
        process
        for process, folders in FOLDERS.items()
        if any(path.is_relative_to(folder) for path in paths for folder in folders)
    ]


class Tail:
    """Reads the new lines of a log; after the log is truncated, from its beginning."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._file = 0
        self._read = 0

    def lines(self) -> list[str]:
        """Return the lines that were added since the last call."""
        try:
            status = self._log.stat()
        except FileNotFoundError:
            return []
        if status.st_ino != self._file or status.st_size < self._read:
            self._file, self._read = status.st_ino, 0
        with self._log.open("rb") as log:
            log.seek(self._read)
            whole = log.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._read += len(whole) + 1
        return whole.decode(errors="replace").splitlines()
