"""The circuit breaker of a neighbour: while the neighbour is at fault, nothing is consumed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from shared.process.health import Unwell, public_text

_log = structlog.get_logger("ledgerpost.breaker")
_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds before each probe: `first`, then always twice as many, at most `longest`.

    With `trial`, a probe that succeeds proves nothing: only the work after it does.
    """

    first: float = 1.0
    longest: float = 30.0
    trial: bool = False

    def after(self, failures: int) -> float:
        """Return the pause after so many failures in a row."""
        return min(self.longest, self.first * (1 << min(max(failures, 1) - 1, _MOST_DOUBLINGS)))


class Fault(Unwell):
    """A fault of a neighbour, with pauses of its own."""

    pauses = Pauses()


_PAUSES = Pauses()


class Breaker:
    """Open while `neighbour` is at fault; `probe` raises one of `faults` for as long as it is.

    `fault` is the latest fault. `doubt` is the reason why the work after a pause is on trial, None
    if it is not. `closed_at` is the time at which consumption went on last, by the monotonic clock.
    """

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
        self._pauses = _PAUSES
        self._failures = 0
        self.reason: str | None = None
        self.fault: Exception | None = None
        self.doubt: str | None = None
        self.closed_at = 0.0

    def trip(self, fault: Exception) -> None:
        """Stop consumption until a probe succeeds."""
        if self.reason is None:
            reason = str(fault) or public_text(fault)
            _log.warning("consumption_paused", neighbour=self._neighbour, reason=reason)
            self._failures += 1
        if self.reason is None or _pauses(fault).first >= self._pauses.first:
            self._believe(fault)
        self._mended.clear()
        self._tripped.set()

    def proven(self) -> None:
        """End a trial: the neighbour has done its work."""
        if self.doubt is not None and self.reason is None:
            _log.info("neighbour_proven", neighbour=self._neighbour)
            self.doubt = None
            self._failures = 0

    async def tripped(self) -> None:
        """Return as soon as the breaker is open."""
        await self._tripped.wait()

    async def mended(self) -> None:
        """Return as soon as the breaker is closed."""
        await self._mended.wait()

    async def check(self) -> None:
        """Raise Unwell if the neighbour is at fault or on trial."""
        if self.reason is not None:
            raise Unwell(f"consumption pauses: {self.reason}")
        if self.doubt is not None:
            raise Unwell(f"on trial, after: {self.doubt}")

    async def watch(self) -> None:
        """Run until cancelled: while the breaker is open, probe; close it when a probe succeeds."""
        while True:
            await self._tripped.wait()
            while self.reason is not None:
                await asyncio.sleep(self._pauses.after(self._failures))
                try:
                    await self._probe()
                except self._faults as fault:
                    self._failures += 1
                    self._believe(fault)
                except Exception as error:  # noqa: BLE001 -- without this task, the pause never ends
                    _log.exception("neighbour_not_probed", neighbour=self._neighbour)
                    self._failures += 1
                    self.reason = f"the probe failed: {type(error).__name__}"
                else:
                    self.reason = None
            if self.doubt is None:
                self._failures = 0
            self.closed_at = time.monotonic()
            _log.info("consumption_resumed", neighbour=self._neighbour, on_trial=self.doubt)
            self._tripped.clear()
            self._mended.set()

    def _believe(self, fault: Exception) -> None:
        self.reason, self.fault = public_text(fault), fault
        self._pauses = _pauses(fault)
        if self._pauses.trial:
            self.doubt = self.reason


def _pauses(fault: Exception) -> Pauses:
    return fault.pauses if isinstance(fault, Fault) else _PAUSES
