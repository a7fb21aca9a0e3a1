"""The metrics of the relay."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.deliveries.reason_classes import class_of
from shared.messages import DeliveryEvent


class RelayMetrics:
    """What the relay counts, and the gauges that it reads from Postgres and RabbitMQ.

    Each relay shows the same gauges, because they are about all mails: take the largest of them.
    """

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.published = Counter(
            "ledgerpost_wakeups_published",
            "Wake-ups for due deliveries that RabbitMQ confirmed.",
            registry=registry,
        )
        self._changes = Counter(
            "ledgerpost_delivery_changes",
            "Changes of the state of a delivery whose event was published, by the new state.",
            ("state", "reason_class"),
            registry=registry,
        )
        self.batches = Gauge(
            "ledgerpost_batches",
            "Batches that have not ended, by phase.",
            ("phase",),
            registry=registry,
        )
        self.schedules = Gauge(
            "ledgerpost_schedules",
            "Schedules that are due and not made yet, that failed, or that are paused.",
            ("state",),
            registry=registry,
        )
        self.overdue = Gauge(
            "ledgerpost_oldest_due_age_seconds",
            "Seconds since the due time of the mail that waits longest; 0 if no due mail waits.",
            registry=registry,
        )
        self.deliveries = Gauge(
            "ledgerpost_deliveries",
            "Mails that are not final, by stage; more than 10,000 of a stage count as 10,000.",
            ("stage",),
            registry=registry,
        )
        self.unpublished = Gauge(
            "ledgerpost_oldest_event_age_seconds",
            "Seconds since the oldest event that is not published yet; 0 if there is none.",
            registry=registry,
        )
        self.queued = Gauge(
            "ledgerpost_queue_messages",
            "Messages that are ready in a queue of RabbitMQ.",
            ("queue",),
            registry=registry,
        )

    def changed(self, event: DeliveryEvent) -> None:
        """Count a change whose event was published."""
        self._changes.labels(event.data.state, class_of(event.data.reason_code)).inc()
