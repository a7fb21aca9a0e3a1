"""The consumer of wake-ups: from messages to deliveries, and back to acknowledgements."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog
from aiormq.abc import DeliveredMessage
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from shared.amqp import topology
from shared.amqp.breaker import Breaker
from shared.amqp.subscription import Subscription, accept, reject
from shared.db import postgres
from shared.messages import SendTransactions
from shared.process.health import Health
from shared.process.trouble import Trouble
from shared.trace import Trace
from shared.validation import complaint

_log = structlog.get_logger("ledgerpost.mailer")
_RETRY_S: Final = 1.0  # before Postgres is tried again while it is away


class Consumer:
    """Consumes wake-ups while the breaker is closed, reconnecting after each loss.

    A message is acknowledged when its delivery has an outcome or is postponed in Postgres, rejected
    to the dead letters if it cannot be read, and never put back.
    """

    def __init__(
        self,
        url: str,
        prefetch: int,
        deliver: Callable[[UUID], Awaitable[None]],
        breaker: Breaker,
        health: Health,
    ) -> None:
        self._deliver = deliver
        self._trouble = Trouble("postgres is away")
        self._subscription = Subscription(
            url, "ledgerpost-mailer", topology.DELIVERIES, self._handle, breaker, prefetch=prefetch
        )
        health.register("rabbitmq", self._subscription.check)
        health.register("smarthost", breaker.check, old_name="relay")
        health.register("deliveries", self._trouble.check)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`, then finish the messages in flight."""
        await self._subscription.run(stop)

    async def _handle(self, message: DeliveredMessage) -> None:
        try:
            event = SendTransactions.model_validate_json(message.body)
        except ValidationError as error:
            _log.warning(
                "unreadable message", error=complaint(error.errors(include_input=False)[0])
            )
            await reject(message)
            return
        trace = Trace.parse(event.traceparent or "")
        with bound_contextvars(**({"trace_id": trace.trace_id} if trace else {})):
            await self._work(message, event.data.delivery_id)

    async def _work(self, message: DeliveredMessage, delivery_id: UUID) -> None:
        while True:
            try:
                await self._deliver(delivery_id)
            except postgres.UNAVAILABLE as error:
                if self._subscription.stopping:
                    return  # the message is not acknowledged, so another worker gets it
                self._trouble.met(error)
                await asyncio.sleep(_RETRY_S)
            except Exception:  # noqa: BLE001 - a message that is not settled takes a place
                _log.exception("message not handled", delivery=str(delivery_id))
                await reject(message)
                return
            else:
                self._trouble.over()
                break
        await accept(message)
