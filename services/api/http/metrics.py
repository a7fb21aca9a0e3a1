import time
from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram

_FRESH = 1.0  # seconds


def for_a_second(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return a function that calls `make` at most once a second, because it needs no key."""
    kept: tuple[float, bytes] | None = None

    def text() -> bytes:
        nonlocal kept
        now = time.monotonic()
        if kept is None or now - kept[0] >= _FRESH:
            kept = now, make()
        return kept[1]

    return text


class HttpMetrics:
    """The metrics of requests; the label `route` is a template, never a caller's path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "ledgerpost_http_requests",
            "Requests answered, by route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ledgerpost_http_request_seconds",
            "Seconds from a request's headers to its answer's last byte.",
            ("method", "route"),
            buckets=(
                0.001,
                0.0025,
                0.005,
                0.01,
                0.025,
                0.05,
                0.1,
                0.25,
                0.5,
                1,
                2.5,
                5,
                10,
                30,
                60,
            ),
            registry=registry,
        )
        # Finding a metric by its labels costs more than counting.
        self._count = cache(self._requests.labels)
        self._time = cache(self._seconds.labels)

    def record(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._count(method, route, status).inc()
        self._time(method, route).observe(seconds)
