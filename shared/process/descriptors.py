"""Watches file descriptors: each connection needs one."""

import errno
import resource
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from shared.process.trouble import Trouble

_MANY_SHARE = 0.9  # of the limit


class TooFew(OSError):
    """The system allows this process fewer descriptors than it needs."""


def raise_limit(needed: int | None = None) -> None:
    """Let the process, and those that it starts, have `needed` descriptors; by default all.

    Raises TooFew if the system allows fewer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if needed is None:
        needed = hard
    elif soft == resource.RLIM_INFINITY or soft >= needed:
        return
    elif hard != resource.RLIM_INFINITY and hard < needed:
        raise TooFew(f"{needed} open files are needed, and the limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


class Watch:
    """Counts the descriptors of this process, and warns in the log while nearly all are in use."""

    def __init__(self, registry: CollectorRegistry, used: Callable[[], int] | None = None) -> None:
        self._used = used or _used
        self._trouble = Trouble("descriptors_run_out")
        self._open = Gauge(
            "ledgerpost_descriptors_open",
            "File descriptors in use; each connection takes one.",
            registry=registry,
        )
        self._limit = Gauge(
            "ledgerpost_descriptors_limit", "The limit of file descriptors.", registry=registry
        )

    def look(self) -> None:
        """Count once."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = self._used()
        self._open.set(used)
        self._limit.set(limit)
        if used > _MANY_SHARE * limit:
            self._trouble.met(OSError(errno.EMFILE, f"{used} of {limit} are in use"))
        else:
            self._trouble.over()


def _used() -> int:
    try:
        return len(list(Path("/proc/self/fd").iterdir())) - 1  # without that of the folder itself
    except OSError:
        # No descriptor was left to open the folder with.
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
