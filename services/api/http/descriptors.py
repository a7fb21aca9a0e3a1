"""File descriptors: each connection takes one, and without any nobody is served."""

import asyncio
import errno
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from shared.process.trouble import Trouble

_PERIOD = 5.0  # seconds; a connection on which nothing comes lasts for 75
_MANY = 0.9  # of the limit


def raise_limit() -> None:
    """Let the process, and those that it starts, have as many as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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
            "ledgerpost_descriptors_limit", "How many there can be.", registry=registry
        )

    def look(self) -> None:
        """Count once."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        used = self._used()
        self._open.set(used)
        self._limit.set(limit)
        if used > _MANY * limit:
            self._trouble.met(OSError(errno.EMFILE, f"{used} of {limit} are in use"))
        else:
            self._trouble.over()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Count every few seconds meanwhile."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()

    async def _run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(_PERIOD)


def _used() -> int:
    try:
        return len(list(Path("/proc/self/fd").iterdir())) - 1  # that of the folder itself
    except OSError:
        # Not one was left to look with.
        return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
