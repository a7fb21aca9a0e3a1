import os
import pwd
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Self, TypedDict

# initdb refuses to run as root. Not `postgres`, which exists only on some machines.
_UNPRIVILEGED = "nobody"


class Options(TypedDict, total=False):
    """Arguments of subprocess that run a child as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The unprivileged user of private servers: the current user, unless that is root."""

    uid: int
    gid: int

    @classmethod
    @cache
    def current(cls) -> Self:
        """Return the current account, or for root the least privileged one of the system."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        entry = pwd.getpwnam(_UNPRIVILEGED)
        return cls(entry.pw_uid, entry.pw_gid)

    @property
    def options(self) -> Options:
        """Return the arguments of subprocess to run a child under this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, folder: Path) -> bool:
        """Whether this account may enter the folder, through all its parents."""
        if self.uid == os.geteuid():
            return True
        check = subprocess.run(
            ["/usr/bin/test", "-x", str(folder)], check=False, cwd="/", **self.options
        )
        return check.returncode == 0

    def folder(self, path: Path) -> Path:
        """Create a folder that only this account may enter, or take over an existing one."""
        path.mkdir(mode=0o700, exist_ok=True)
        if path.stat().st_uid != self.uid:
            for inside in (path, *path.rglob("*")):
                os.chown(inside, self.uid, self.gid, follow_symlinks=False)
        return path

    def file(self, path: Path, text: str) -> Path:
        """Write a file that only this account may read."""
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        os.chown(path, self.uid, self.gid)
        return path

    def open_log(self, path: Path) -> BinaryIO:
        """Open a file of this account for appending."""
        file = path.open("ab")
        os.fchown(file.fileno(), self.uid, self.gid)
        return file
