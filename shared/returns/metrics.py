"""The metric of returned mail."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from shared.returns.verdict import Kind, Scope

_NONE: Final = "none"
#: Of mails that match no delivery: anybody can write one, so what it says counts for nothing.
_UNMATCHED: Final = "unmatched"


class ReturnMetrics:
    """Counts returned mails by what they say; a copy does not count."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create it; all numbers are 0."""
        self._returns = Counter(
            "ledgerpost_returns",
            "Returned mails that were taken in, by what they say.",
            ("kind", "scope"),
            registry=registry,
        )
        # A counter that begins at its first event hides that event from rate() and increase().
        for scope in Scope:
            self._returns.labels(Kind.DELAY if scope is Scope.TRANSIENT else Kind.BOUNCE, scope)
        for kind in (Kind.COMPLAINT, Kind.AUTO_REPLY, Kind.UNKNOWN, _UNMATCHED):
            self._returns.labels(kind, _NONE)

    def took(self, kind: str, scope: str | None, *, is_matched: bool) -> None:
        """Count a returned mail that is stored."""
        if is_matched:
            self._returns.labels(kind, scope or _NONE).inc()
        else:
            self._returns.labels(_UNMATCHED, _NONE).inc()
