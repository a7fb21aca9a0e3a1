"""The consumer of wake-ups: from messages to deliveries, and back to acknowledgements."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Final
from uuid import UUID

import structlog
from aiormq.abc import DeliveredMessage
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from shared.amqp import topology
from shared.amqp.breaker import Breaker
from shared.amqp.subscription import Subscription, accept, put_back, reject
from shared.db import postgres
from shared.db.databases import MAIN, Database
from shared.messages import SendTransactions
from shared.process import tracing
from shared.process.health import Health
from shared.process.tracing import Span
from shared.process.trouble import Trouble
from shared.trace import Trace
from shared.turns import Turns, TurnsAreOver
from shared.validation import complaint

_log = structlog.get_logger("ledgerpost.mailer")
# Messages for each place: RabbitMQ serves them in order, and here their businesses take turns.
MESSAGES_PER_PLACE: Final = 3
_RETRY_S: Final = 1.0  # before Postgres is tried again while it is away, or after a conflict
_ALONE: Final = Database(MAIN, "")


class Consumer:
    """Consumes wake-ups while the breaker is closed, reconnecting after each loss.

    `places` deliveries are in progress at once; businesses take turns. A message is acknowledged
    when its delivery has an outcome or is postponed in Postgres, and rejected to the dead letters
    if it cannot be read. Only those that still wait for their turn when the mailer stops are put
    back.
    """

    def __init__(
        self,
        url: str,
        places: int,
        deliver: Callable[[UUID], Awaitable[None]],
        breaker: Breaker,
        health: Health,
        database: Database = _ALONE,
    ) -> None:
        """Consume the wake-ups of `database`."""
        self._deliver = deliver
        self._queue = topology.deliveries_of(database.name)
        self._described = topology.described("process", self._queue)
        self._trouble = Trouble("postgres_away")
        self._turns = Turns(places, places)
        self._left = asyncio.Event()  # no further messages come
        self._subscription = Subscription(
            url,
            "ledgerpost-mailer",
            self._queue,
            self._handle,
            breaker,
            prefetch=places * MESSAGES_PER_PLACE,
            leaving=self._left.set,
            databases=(database.name,),
        )
        health.register(database.label("rabbitmq"), self._subscription.check)
        health.register(database.label("deliveries"), self._trouble.check)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`, then finish the messages in flight."""
        ending = asyncio.create_task(self._end(stop))
        try:
            await self._subscription.run(stop)
        finally:
            ending.cancel()

    async def _end(self, stop: asyncio.Event) -> None:
        """Let no further delivery begin after `stop`, also while places become free."""
        await stop.wait()
        self._turns.end()

    async def _handle(self, message: DeliveredMessage) -> None:
        try:
            event = SendTransactions.model_validate_json(message.body)
        except ValidationError as error:
            _log.warning(
                "message_unreadable", error=complaint(error.errors(include_input=False)[0])
            )
            await reject(message)
            return
        trace = Trace.parse(event.traceparent or "")
        with bound_contextvars(**({"trace_id": trace.trace_id} if trace else {})):
            try:
                async with self._turns.turn(event.data.business_id):
                    with self._span(event.data.delivery_id, trace):
                        await self._work(message, event.data.delivery_id)
            except TurnsAreOver:
                await self._left.wait()  # otherwise it would come back here
                await put_back(message)

    def _span(self, delivery_id: UUID, trace: Trace | None) -> AbstractContextManager[Span]:
        about = {**self._described, "ledgerpost.delivery_id": str(delivery_id)}
        return tracing.span(f"process {self._queue}", "consumer", trace, about)

    async def _work(self, message: DeliveredMessage, delivery_id: UUID) -> None:
        while True:
            try:
                await self._deliver(delivery_id)
            except (*postgres.UNAVAILABLE, *postgres.CONFLICTS) as error:
                if self._subscription.stopping:
                    return  # the message is not acknowledged, so another worker gets it
                if isinstance(error, postgres.UNAVAILABLE):
                    self._trouble.met(error)
                await asyncio.sleep(_RETRY_S)
            except Exception:  # noqa: BLE001 - a message that is not settled takes a place
                _log.exception("message_not_handled", delivery_id=str(delivery_id))
                await reject(message)
                return
            else:
                self._trouble.over()
                break
        await accept(message)
