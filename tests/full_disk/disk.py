"""A small disk for Postgres, which can be filled and has room again."""

import errno
import os
import subprocess
from pathlib import Path
from typing import Self

from provision.account import Account

_BLOCK = 4096


class Disk:
    """A file system in memory that is mounted at a folder, within the `with` block. Needs root."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self._folder, self._size = folder, mebibytes
        self._ballast = folder / "ballast"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        account = Account.current()
        options = f"size={self._size}m,mode=0700,uid={account.uid},gid={account.gid}"
        self._mount("mount", "-t", "tmpfs", "-o", options, "none")
        return self

    def __exit__(self, *_: object) -> None:
        self._mount("umount")

    @property
    def room(self) -> int:
        """The octets that are free."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Take all room that is left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, _BLOCK):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def clear(self) -> None:
        """Give the room back."""
        self._ballast.unlink()

    def _mount(self, *command: str) -> None:
        subprocess.run([*command, self._folder], check=True)
