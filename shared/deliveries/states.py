"""The states of a delivery, as Postgres holds them."""

from enum import StrEnum


class State(StrEnum):
    """The state of one recipient's mail; `committing` is internal and shown as `sending`."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    COMMITTING = "committing"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
