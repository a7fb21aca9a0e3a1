import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provision.account import Account


def place(root: Path, name: str) -> Path:
    """Return the folder of a named set of servers: var/NAME in the checkout, created if missing.

    If the servers' account cannot reach the checkout (for example in root's home), var/NAME is a
    link to a folder under /var/tmp.
    """
    var = root / "var"
    link = var / name
    if link.is_dir():
        return link.resolve()
    var.mkdir(exist_ok=True)
    var.chmod(0o755)
    with locked(var):  # other processes of the same run may want it, too
        return link.resolve() if link.is_dir() else _made(root, link)


def remove(root: Path, name: str) -> None:
    """Delete the folder of this name and its content."""
    link = root / "var" / name
    shutil.rmtree(link.resolve(), ignore_errors=True)
    if link.is_symlink():
        link.unlink()
        with suppress(OSError):  # others may still use it
            _elsewhere(root).rmdir()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock this folder: one process, and one of its threads, at a time."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(root: Path, link: Path) -> Path:
    if Account.current().reaches(link.parent):
        link.mkdir()
        link.chmod(0o755)
        return link.resolve()
    link.unlink(missing_ok=True)  # its target is gone
    link.symlink_to(_elsewhere(root) / link.name)
    target = link.resolve()
    target.mkdir(exist_ok=True)
    target.chmod(0o755)
    return target


def _elsewhere(root: Path) -> Path:
    """Return a folder under /var/tmp that no other user can have prepared."""
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]
    folder = Path("/var/tmp") / f"ledgerpost-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o755)
    return folder
