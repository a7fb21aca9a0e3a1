"""Sends answers to the queues in `reply_to`, if requests may name them."""

import asyncio
import re

import structlog
from aiormq.abc import DeliveredMessage

from services.api.intake.queue_answer import QueueAnswer
from shared.amqp import broker, topology
from shared.amqp.publisher import Outgoing, Publisher

_log = structlog.get_logger("ledgerpost.relay")
# Names that only RabbitMQ generates and that cannot be guessed: of direct reply-to, and of queues
# that were declared without a name.
_OWN = re.compile(
    r"amq\.rabbitmq\.reply-to\.[A-Za-z0-9+/=_-]{1,200}\.[A-Za-z0-9+/=_-]{1,60}"
    r"|amq\.gen-[A-Za-z0-9_-]{20,40}"
)


class Replies:
    """Publishes answers one by one on a separate connection.

    If RabbitMQ cannot read a name, it closes only that connection, and no other answer is lost.
    """

    def __init__(self, url: str, prefix: str | None) -> None:
        self._publisher = Publisher(url, "ledgerpost-relay-replies")
        self._prefix = prefix
        self._one = asyncio.Lock()

    def allows(self, queue: str) -> bool:
        """Return whether answers may go to `queue`. Senders could not write to other queues."""
        if queue in topology.QUEUES or topology.entrance_of(queue):
            return False
        return bool(_OWN.fullmatch(queue)) or (
            self._prefix is not None and queue.startswith(self._prefix)
        )

    async def tell(self, message: DeliveredMessage, answer: QueueAnswer) -> None:
        """Send the answer to `reply_to`, if there is one; this is not guaranteed to arrive.

        A request without a valid key gets no answer.
        """
        asker = message.header.properties
        if answer.business_id is None or not self.allows(asker.reply_to or ""):
            return
        reply = Outgoing(
            answer.event_id,
            "",
            asker.reply_to or "",
            answer.event.encode(),
            str(answer.trace),
            mandatory=False,
            correlation_id=asker.correlation_id,
        )
        try:
            async with self._one:
                confirmed = await self._publisher.publish([reply])
        except broker.UNAVAILABLE as error:
            _log.info("asker_not_told", error=type(error).__name__)
            return
        if not all(confirmed):
            _log.info("asker_not_told", error="the broker refused the name of its queue")

    async def close(self) -> None:
        """Close the connection."""
        await self._publisher.close()
