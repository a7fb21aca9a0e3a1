"""The circuit breaker on the mail relay: while the relay is at fault, nothing is consumed."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.mailer.outcomes import RelayAtFault

_log = structlog.get_logger("ledgerpost.mailer")
_FIRST, _LONGEST = 1.0, 30.0  # seconds between probes


class Breaker:
    """Open while the relay is at fault; `probe` raises RelayAtFault for as long as it is."""

    def __init__(self, probe: Callable[[], Awaitable[None]]) -> None:
        self._probe = probe
        self._tripped = asyncio.Event()
        self._mended = asyncio.Event()
        self._mended.set()
        self.reason: str | None = None

    def trip(self, fault: RelayAtFault) -> None:
        """Stop consumption until a probe succeeds."""
        if self.reason is None:
            _log.warning("mail relay at fault, consumption pauses", reason=fault.reason)
        self.reason = fault.reason
        self._mended.clear()
        self._tripped.set()

    async def tripped(self) -> None:
        """Return as soon as the breaker is open."""
        await self._tripped.wait()

    async def mended(self) -> None:
        """Return as soon as the breaker is closed."""
        await self._mended.wait()

    async def check(self) -> None:
        """Raise what the relay is at fault of, for the health report."""
        if self.reason is not None:
            raise RelayAtFault(f"consumption pauses: {self.reason}")

    async def watch(self) -> None:
        """Probe the relay, for ever, whenever the breaker is open; close it when one succeeds."""
        while True:
            await self._tripped.wait()
            pause = _FIRST
            while self.reason is not None:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST)
                try:
                    await self._probe()
                except RelayAtFault as fault:
                    self.reason = fault.reason
                except Exception as error:  # noqa: BLE001 -- without a watch, the pause never ends
                    _log.exception("the mail relay could not be probed")
                    self.reason = f"the probe failed: {type(error).__name__}"
                else:
                    self.reason = None
            _log.info("mail relay is back, consumption goes on")
            self._tripped.clear()
            self._mended.set()
