"""Makes the copy of a request that waits in the queue of its database."""

from collections.abc import Mapping

from aiormq.abc import DeliveredMessage
from pamqp.common import FieldValue

from shared.amqp import topology
from shared.amqp.publisher import Outgoing

_LONGEST_HEADER = 1000  # characters
_HEADERS = frozenset({"authorization", "traceparent"})  # that a request needs


def to_queue_of(database: str, message: DeliveredMessage) -> Outgoing:
    """Return the copy of a request for the queue of requests that wait for `database`."""
    sent = message.header.properties
    return Outgoing(
        sent.message_id or "",
        topology.INTAKE,
        topology.requests_of(database),
        message.body,
        headers=needed_headers(sent.headers or {}),
        correlation_id=sent.correlation_id,
        reply_to=sent.reply_to,
        content_type=sent.content_type,
    )


def needed_headers(given: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """Return the headers that a request needs, each cut if it is long."""
    return {
        name: value[:_LONGEST_HEADER]
        for name, value in topology.senders_headers(given).items()
        if name.lower() in _HEADERS and isinstance(value, str)
    }
