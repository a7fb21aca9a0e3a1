"""The circuit breaker on a neighbour: while it is at fault, nothing is consumed."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.health import Unwell, told

_log = structlog.get_logger("ledgerpost.breaker")
_FIRST, _LONGEST = 1.0, 30.0  # seconds between probes


class Breaker:
    """Open while `neighbour` is at fault; `probe` raises one of `faults` for as long as it is."""

    def __init__(
        self,
        neighbour: str,
        probe: Callable[[], Awaitable[object]],
        faults: type[Exception] | tuple[type[Exception], ...],
    ) -> None:
        self._neighbour = neighbour
        self._probe = probe
        self._faults = faults
        self._tripped = asyncio.Event()
        self._mended = asyncio.Event()
        self._mended.set()
        self.reason: str | None = None

    def trip(self, fault: Exception) -> None:
        """Stop consumption until a probe succeeds."""
        if self.reason is None:
            reason = str(fault) or told(fault)
            _log.warning("consumption pauses", neighbour=self._neighbour, reason=reason)
        self.reason = told(fault)
        self._mended.clear()
        self._tripped.set()

    async def tripped(self) -> None:
        """Return as soon as the breaker is open."""
        await self._tripped.wait()

    async def mended(self) -> None:
        """Return as soon as the breaker is closed."""
        await self._mended.wait()

    async def check(self) -> None:
        """Raise what the neighbour is at fault of, for the health report."""
        if self.reason is not None:
            raise Unwell(f"consumption pauses: {self.reason}")

    async def watch(self) -> None:
        """Probe, for ever, whenever the breaker is open; close it when a probe succeeds."""
        while True:
            await self._tripped.wait()
            pause = _FIRST
            while self.reason is not None:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST)
                try:
                    await self._probe()
                except self._faults as fault:
                    self.reason = told(fault)
                except Exception as error:  # noqa: BLE001 -- without a watch, the pause never ends
                    _log.exception("neighbour could not be probed", neighbour=self._neighbour)
                    self.reason = f"the probe failed: {type(error).__name__}"
                else:
                    self.reason = None
            _log.info("consumption goes on", neighbour=self._neighbour)
            self._tripped.clear()
            self._mended.set()
