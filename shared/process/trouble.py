"""What keeps a process from its work: told to whoever asks, and seldom in the log."""

import time

import structlog

from shared.process.health import Unwell, told

_SELDOM = 60.0  # seconds in which the log tells of the same trouble once

_log = structlog.get_logger("ledgerpost.trouble")


class Trouble:
    """The trouble with one neighbour, from the first error until somebody says that it is over.

    `event` is what the log says of it: at once, then once a minute for as long as it is met, and
    when it is over. What comes back within a minute is not told of again.
    Until the first word of it the trouble is `reason`, if there is one.
    """

    def __init__(self, event: str, reason: str | None = None) -> None:
        self._event = event
        self._logged: float | None = None
        self._is_open = False
        self._reason = reason

    def met(self, error: Exception, **about: object) -> None:
        """Note an error that keeps us waiting."""
        now = time.monotonic()
        if self._logged is None or now - self._logged >= _SELDOM:
            self._logged = now
            self._is_open = True
            _log.warning(self._event, error=repr(error), **about)
        self._reason = told(error)

    def over(self) -> None:
        """Note that work goes on."""
        if self._is_open:
            self._is_open = False
            _log.info(f"{self._event}: over")
        self._reason = None

    async def check(self) -> None:
        """Return if there is none; raises an Unwell that tells what it is otherwise."""
        if self._reason is not None:
            raise Unwell(self._reason)
