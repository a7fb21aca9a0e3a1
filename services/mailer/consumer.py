"""Messages from RabbitMQ to deliveries, and back to acknowledgements; knows no SMTP."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from services.mailer.breaker import Breaker
from shared import broker, postgres, topology
from shared.health import Health
from shared.messages import SendTransactions
from shared.trace import Trace

_log = structlog.get_logger("ledgerpost.mailer")
_PAUSE = 1.0  # seconds before a neighbour that is away is tried again


class Consumer:
    """Consumes wake-ups while the breaker is closed, reconnecting for ever.

    A message is acknowledged when its delivery is settled or postponed in Postgres, rejected to
    the dead letters when it cannot be read, and never put back.
    """

    def __init__(
        self,
        url: str,
        prefetch: int,
        deliver: Callable[[UUID], Awaitable[None]],
        breaker: Breaker,
        health: Health,
    ) -> None:
        self._url = url
        self._prefetch = prefetch
        self._deliver = deliver
        self._breaker = breaker
        self._trouble: str | None = "not connected yet"
        self._stopping = False
        self._at_work: set[asyncio.Task[None]] = set()
        health.register("rabbitmq", self._check)
        health.register("relay", breaker.check)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`, then finish what is at work."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._consume(stopped)
                except Exception as error:  # noqa: BLE001 - aiormq raises a bare Exception, too
                    _log.warning("rabbitmq is away", error=repr(error))
                    self._trouble = f"{type(error).__name__}: {error}"
                    await asyncio.wait([stopped], timeout=_PAUSE)
            await self._drain()
        finally:
            stopped.cancel()

    async def _consume(self, stopped: asyncio.Task[bool]) -> None:
        connection = await broker.connect(self._url, "ledgerpost-mailer")
        try:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=self._prefetch)
            await topology.declare(channel)
            lost = asyncio.get_running_loop().create_future()
            await _watch(channel, lost)
            while not (stopped.done() or lost.done()):
                await _first(self._breaker.mended(), lost, stopped)
                if stopped.done() or lost.done():
                    break
                queue = await topology.deliveries_queue(channel)
                tag = await queue.consume(self._take)
                self._trouble = None
                await _first(self._breaker.tripped(), lost, stopped)
                if not lost.done():
                    await queue.cancel(tag)
            if stopped.done():
                await self._drain()
            else:
                raise ConnectionResetError(lost.result())
        finally:
            await _close(connection.close())

    async def _take(self, message: AbstractIncomingMessage) -> None:
        task = asyncio.create_task(self._handle(message))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        try:
            event = SendTransactions.model_validate_json(message.body)
        except ValidationError as error:
            _log.warning("unreadable message", error=error.errors(include_input=False)[0]["msg"])
            await _settle(message.reject(requeue=False))
            return
        trace = Trace.parse(event.traceparent or "")
        with bound_contextvars(**({"trace_id": trace.trace_id} if trace else {})):
            await self._work(message, event.data.delivery_id)

    async def _work(self, message: AbstractIncomingMessage, delivery_id: UUID) -> None:
        while True:
            try:
                await self._deliver(delivery_id)
            except postgres.UNAVAILABLE as error:
                if self._stopping:
                    return  # unacknowledged, it comes to another worker
                _log.warning("postgres is away", error=repr(error))
                await asyncio.sleep(_PAUSE)
            except Exception:  # noqa: BLE001 - the message must be settled, or it blocks a place
                _log.exception("message not handled", delivery=str(delivery_id))
                await _settle(message.reject(requeue=False))
                return
            else:
                break
        await _settle(message.ack())

    async def _drain(self) -> None:
        self._stopping = True
        while self._at_work:
            _log.info("finishing what is at work", count=len(self._at_work))
            await asyncio.wait(self._at_work)

    async def _check(self) -> None:
        if self._trouble is not None:
            raise ConnectionError(self._trouble)


async def _watch(channel: AbstractChannel, lost: asyncio.Future[str]) -> None:
    """Resolve `lost` when the channel closes or the broker cancels the consumer."""

    def lose(reason: str) -> None:
        if not lost.done():
            lost.set_result(reason)

    channel.close_callbacks.add(lambda *_: lose("the channel was closed"))
    underlay = await channel.get_underlay_channel()
    underlay.on_consumer_cancel_callbacks.add(lambda _: lose("the queue was deleted"))


async def _first(event: Awaitable[None], *others: asyncio.Future[str] | asyncio.Task[bool]) -> None:
    task = asyncio.ensure_future(event)
    try:
        await asyncio.wait({task, *others}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()


async def _settle(settling: Awaitable[None]) -> None:
    """Acknowledge, or leave it to the redelivery that follows a lost connection."""
    try:
        await settling
    except broker.UNAVAILABLE as error:
        _log.info("message not acknowledged", error=repr(error))


async def _close(closing: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(5):
            await closing
    except broker.UNAVAILABLE:
        return
