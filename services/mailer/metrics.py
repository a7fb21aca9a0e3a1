"""The metrics of the mailer."""

from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.mailer.smtp.pool import SessionPool
from shared.deliveries.reason_classes import ReasonClass, class_of
from shared.deliveries.states import State
from shared.deliveries.worker import Verdict
from shared.rendering.queue import RenderQueue
from shared.statements.flaws import Flaw

_OUTCOMES: Final = (State.SENT, State.DEFERRED, State.FAILED, State.IN_DOUBT)


class MailerMetrics:
    """Counts attempts, flaws and rendering processes, and shows the SMTP sessions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "ledgerpost_delivery_attempts",
            "Recorded attempts to hand a mail to the SMTP server, by outcome.",
            ("state", "reason_class"),
            registry=registry,
        )
        # A counter that begins at its first event hides that event from rate() and increase().
        for state, reason_class in product(_OUTCOMES, ReasonClass):
            self._attempts.labels(state, reason_class)
        self._seconds = Histogram(
            "ledgerpost_delivery_seconds",
            "Seconds from the claim of a delivery to its recorded outcome.",
            ("state",),
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900),
            registry=registry,
        )
        self._flaws = Counter(
            "ledgerpost_pdf_flaws",
            "Mails whose PDF lacks something: missing_letters, replaced_text, no_pdf.",
            ("kind",),
            registry=registry,
        )
        self._starts = Counter(
            "ledgerpost_rendering_process_starts",
            "Rendering processes that were started; more than the first ones replace others.",
            registry=registry,
        )
        self._processes = Gauge(
            "ledgerpost_rendering_processes", "Rendering processes that run.", registry=registry
        )
        self._sessions = Gauge(
            "ledgerpost_smtp_sessions",
            "Sessions with the SMTP server: busy with a mail, or idle.",
            ("state",),
            registry=registry,
        )
        self._sessions_limit = Gauge(
            "ledgerpost_smtp_sessions_limit",
            "The most sessions: MAILER_CONCURRENCY, or fewer if the SMTP server takes no more.",
            registry=registry,
        )

    def delivered(self, verdict: Verdict, seconds: float) -> None:
        """Count a recorded attempt, which took so long."""
        self._attempts.labels(verdict.state, class_of(verdict.reason_code)).inc()
        self._seconds.labels(verdict.state).observe(seconds)

    def flawed(self, flaw: Flaw) -> None:
        """Count a message whose PDF lacks something."""
        self._flaws.labels(flaw.kind).inc()

    def started(self) -> None:
        """Count a rendering process."""
        self._starts.inc()

    def look(self, sessions: SessionPool, rendering: RenderQueue) -> None:
        """Set the gauges."""
        busy, idle, limit = sessions.sizes
        self._sessions.labels("busy").set(busy)
        self._sessions.labels("idle").set(idle)
        self._sessions_limit.set(limit)
        self._processes.set(rendering.alive)
