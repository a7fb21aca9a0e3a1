"""Wake-ups for deliveries of another database."""

import time

import structlog
from prometheus_client import CollectorRegistry, Counter

_SELDOM = 60.0  # seconds between two lines

_log = structlog.get_logger("ledgerpost.mailer")


class Strangers:
    """Counts wake-ups for deliveries that are not in our database, and seldom logs how many."""

    def __init__(self, counted: CollectorRegistry) -> None:
        self._total = Counter(
            "ledgerpost_unknown_wakeups",
            "Wake-ups for deliveries that the database does not have",
            registry=counted,
        )
        self._untold = 0
        self._logged: float | None = None

    def met(self) -> None:
        """Count one; the first is logged, and once a minute those since the last line."""
        self._total.inc()
        self._untold += 1
        now = time.monotonic()
        if self._logged is None or now - self._logged >= _SELDOM:
            _log.warning(
                "wake-ups for deliveries that the database does not have:"
                " does another installation use this vhost?",
                count=self._untold,
            )
            self._logged, self._untold = now, 0
