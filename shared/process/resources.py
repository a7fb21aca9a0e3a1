"""Shows the health of a process to Prometheus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, Gauge

from shared.process.health import OK, Health
from shared.process.sampling import EVERY_S

# Seconds in which a process that starts has opened its connections; until then it logs no fault.
_STARTING_S = 10.0


class Resources:
    """The gauge of each resource in the health report of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._up = Gauge(
            "ledgerpost_resource_up",
            "Whether a resource that the process needs is available: 1, or 0 if not.",
            ("resource",),
            registry=registry,
        )

    @asynccontextmanager
    async def watching(self, health: Health) -> AsyncIterator[None]:
        """Check all resources every two seconds within the `async with`."""
        task = asyncio.create_task(self._watch(health))
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self, health: Health) -> None:
        clock = asyncio.get_running_loop().time
        ready_by = clock() + _STARTING_S
        while True:
            states = await health.states(quietly=clock() < ready_by)
            for name, answer in states.items():
                self._up.labels(name).set(answer == OK)
            await asyncio.sleep(EVERY_S)
