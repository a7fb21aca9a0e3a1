"""Outages of a server: for the health report, and rarely in the log."""

import time

import structlog

from shared.process.health import Unwell, public_text

_SELDOM = 60.0  # seconds between two log lines about the same outage

_log = structlog.get_logger("ledgerpost.trouble")


class Trouble:
    """The outage of one server, from the first error until over() is called.

    `event` is logged at its begin, and then once a minute; the end is the same name with `_over`.
    An outage that comes back within a minute is not logged again. Until the first error the reason
    is `reason`, if there is one.
    """

    def __init__(self, event: str, reason: str | None = None) -> None:
        self._event = event
        self._logged: float | None = None
        self._is_open = False
        self._reason = reason

    def met(self, error: Exception, **about: object) -> None:
        """Record an error because of which the process waits."""
        now = time.monotonic()
        if self._logged is None or now - self._logged >= _SELDOM:
            self._logged = now
            self._is_open = True
            _log.warning(self._event, error=repr(error), **about)
        self._reason = public_text(error)

    def over(self) -> None:
        """Record the end of the outage."""
        if self._is_open:
            self._is_open = False
            _log.info(f"{self._event}_over")
        self._reason = None

    async def check(self) -> None:
        """Raise Unwell with the reason if there is an outage."""
        if self._reason is not None:
            raise Unwell(self._reason)
