"""Wake-ups of another installation: their deliveries are not in this database."""

import time
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter

_LOG_PAUSE_S: Final = 60.0

_log = structlog.get_logger("ledgerpost.mailer")


class ForeignWakeups:
    """Counts wake-ups for deliveries that are not in our database, and logs how many."""

    def __init__(self, counted: CollectorRegistry) -> None:
        self._total = Counter(
            "ledgerpost_unknown_wakeups",
            "Wake-ups for deliveries that the database does not have.",
            registry=counted,
        )
        self._unlogged = 0
        self._logged: float | None = None

    def count(self) -> None:
        """Count one. Logs the first, and once a minute how many came since the last line."""
        self._total.inc()
        self._unlogged += 1
        now = time.monotonic()
        if self._logged is None or now - self._logged >= _LOG_PAUSE_S:
            _log.warning(
                "foreign_wakeups",
                count=self._unlogged,
                hint="not in the database: does another installation use this vhost?",
            )
            self._logged, self._unlogged = now, 0
