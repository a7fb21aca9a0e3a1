import os
from dataclasses import dataclass
from pathlib import Path


class Unavailable(RuntimeError):
    """A server is not available in this way; the message gives the reason, or what to do."""


@dataclass(frozen=True)
class Program:
    """A server's executables, and the paths of programs and libraries that they need."""

    bin: Path
    path: tuple[Path, ...] = ()
    libraries: tuple[Path, ...] = ()

    def environ(self, **more: str) -> dict[str, str]:
        """Return a complete environment that uses only PATH of the caller's."""
        folders = [self.bin, *self.path, os.environ.get("PATH", "")]
        search = ":".join([*map(str, folders), "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"])
        environ = {"PATH": search, "LC_ALL": "C.UTF-8", **more}
        if self.libraries:
            environ["LD_LIBRARY_PATH"] = ":".join(map(str, self.libraries))
        return environ
