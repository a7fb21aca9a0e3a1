import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provision.account import Account

_DISK = Path("/var/tmp")
# A file system in memory: there a test's database is made in a tenth of the time.
_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30  # bytes that have to be free there, and in memory


def place(root: Path, name: str, *, lasting: bool = True) -> Path:
    """Return the folder of a named set of servers: var/NAME in the checkout, created if missing.

    If the servers' account cannot reach the checkout (for example in root's home), var/NAME is a
    link to a folder under /var/tmp. If it does not have to be `lasting`, var/NAME is a link to a
    folder in memory, provided that there is room.
    """
    var = root / "var"
    link = var / name
    if link.is_dir():
        return link.resolve()
    var.mkdir(exist_ok=True)
    var.chmod(0o755)
    with locked(var):  # other processes of the same run may want it, too
        return link.resolve() if link.is_dir() else _made(root, link, lasting=lasting)


def remove(root: Path, name: str) -> None:
    """Delete the folder of this name and its content."""
    link = root / "var" / name
    shutil.rmtree(link.resolve(), ignore_errors=True)
    if link.is_symlink():
        link.unlink()
        for parent in (_DISK, _MEMORY):
            with suppress(OSError):  # others may still use it, or it is not there
                _named(parent, root).rmdir()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock this folder: one process, and one of its threads, at a time."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _made(root: Path, link: Path, *, lasting: bool) -> Path:
    in_memory = not lasting and _is_roomy(_MEMORY)
    if not in_memory and Account.current().reaches(link.parent):
        link.mkdir()
        link.chmod(0o755)
        return link.resolve()
    link.unlink(missing_ok=True)  # its target is gone
    link.symlink_to(_elsewhere(_MEMORY if in_memory else _DISK, root) / link.name)
    target = link.resolve()
    target.mkdir(exist_ok=True)
    target.chmod(0o755)
    return target


def _is_roomy(folder: Path) -> bool:
    """Whether it is a file system in memory, with room for what tests store."""
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
        memory = Path("/proc/meminfo").read_text().splitlines()
    except FileNotFoundError:  # not Linux
        return False
    if not any(line.split()[1:3] == [str(folder), "tmpfs"] for line in mounts):
        return False
    [available] = [int(line.split()[1]) << 10 for line in memory if line.startswith("MemAvail")]
    return min(shutil.disk_usage(folder).free, available) >= _ROOM


def _named(parent: Path, root: Path) -> Path:
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:12]
    return parent / f"ledgerpost-{os.geteuid()}-{digest}"


def _elsewhere(parent: Path, root: Path) -> Path:
    """Return a folder under `parent` that no other user can have prepared."""
    folder = _named(parent, root)
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o755)
    return folder
