"""The subscription to one queue, which survives every loss of the connection."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aio_pika.abc import AbstractChannel
from aiormq.abc import AbstractChannel as Channel
from aiormq.abc import DeliveredMessage

from shared.amqp import broker, topology
from shared.amqp.breaker import Breaker
from shared.process.health import Unwell
from shared.process.trouble import Trouble

_log = structlog.get_logger("ledgerpost.subscription")
_RETRY_S = 1.0  # before RabbitMQ is tried again while it is away
_ANSWER_S = 20.0  # for each answer of RabbitMQ; then another connection is opened
_CLOSE_S = 5.0


class _Lost(Unwell, ConnectionResetError):
    """Messages come on this connection no more."""


class Subscription:
    """Consumes `queue` while the breaker is closed, reconnecting after each loss.

    Each message is passed to `handle` in a task of its own, `prefetch` of them at once; `handle`
    must not raise. A message that it does not settle is delivered again after the connection.
    """

    def __init__(
        self,
        url: str,
        name: str,
        queue: str,
        handle: Callable[[DeliveredMessage], Awaitable[None]],
        breaker: Breaker,
        *,
        prefetch: int,
        leaving: Callable[[], None] = lambda: None,
        databases: Sequence[str] = (),
    ) -> None:
        """Call `leaving` before the messages in flight are finished, when no more come.

        The queue of each of `databases` is declared, too.
        """
        self._databases = databases
        self._url = url
        self._name = name
        self._queue = queue
        self._handle = handle
        self._breaker = breaker
        self._prefetch = prefetch
        self._leaving = leaving
        self._trouble = Trouble("rabbitmq_away", "not connected yet")
        self._in_flight: set[asyncio.Future[None]] = set()
        self.stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`, then finish the messages in flight."""
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._consume(stopped)
                except Exception as error:  # noqa: BLE001 - aiormq raises a bare Exception, too
                    self._trouble.met(error, queue=self._queue)
                    await asyncio.wait([stopped], timeout=_RETRY_S)
            await self._drain()
        finally:
            stopped.cancel()

    async def check(self) -> None:
        """Raise Unwell with the reason if no messages can come."""
        await self._trouble.check()

    async def _consume(self, stopped: asyncio.Task[bool]) -> None:
        connection = await broker.connect(self._url, self._name)
        try:
            async with asyncio.timeout(_ANSWER_S):
                channel = await connection.channel()
                await topology.prepare(channel, self._databases)
                await channel.set_qos(prefetch_count=self._prefetch)
            lost = asyncio.get_running_loop().create_future()
            await _watch(channel, lost)
            while not (stopped.done() or lost.done()):
                await _first(self._breaker.mended(), lost, stopped)
                if stopped.done() or lost.done():
                    break
                # By aiormq, because aio-pika's message object costs more than our handling of it.
                wire = await channel.get_underlay_channel()
                begun = await wire.basic_consume(self._queue, self._take, timeout=_ANSWER_S)
                self._trouble.over()
                await _first(self._breaker.tripped(), lost, stopped)
                if not lost.done():
                    await self._cancel(wire, str(begun.consumer_tag), stopped)
            if stopped.done():
                await self._drain()
            else:
                raise _Lost(lost.result())
        finally:
            await _close(connection.close())

    async def _take(self, message: DeliveredMessage) -> None:
        task = asyncio.ensure_future(self._handle(message))
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)

    async def _cancel(self, wire: Channel, tag: str, stopped: asyncio.Task[bool]) -> None:
        """Take no further messages. A silent RabbitMQ does not delay a process that stops."""
        try:
            await wire.basic_cancel(tag, timeout=_CLOSE_S)
        except TimeoutError:
            if not stopped.done():
                raise
            _log.warning("rabbitmq_silent", queue=self._queue)

    async def _drain(self) -> None:
        self.stopping = True
        self._leaving()
        while self._in_flight:
            _log.info("messages_in_flight", queue=self._queue, count=len(self._in_flight))
            await asyncio.wait(self._in_flight)


async def accept(message: DeliveredMessage) -> None:
    """Acknowledge a message; after a lost connection it is delivered again instead."""
    await _settle(message.channel.basic_ack(_tag(message), wait=False))


async def reject(message: DeliveredMessage) -> None:
    """Reject a message: RabbitMQ moves it to the dead letters, or delivers it once more."""
    await _settle(message.channel.basic_reject(_tag(message), requeue=False, wait=False))


async def put_back(message: DeliveredMessage) -> None:
    """Give a message back that was not begun: RabbitMQ delivers it to another consumer."""
    await _settle(message.channel.basic_reject(_tag(message), requeue=True, wait=False))


def _tag(message: DeliveredMessage) -> int:
    return message.delivery_tag or 0


async def _settle(settling: Awaitable[None]) -> None:
    # aiormq waits endlessly to write on a connection that has just been lost.
    try:
        async with asyncio.timeout(_CLOSE_S):
            await settling
    except broker.UNAVAILABLE as error:
        _log.info("message_not_acknowledged", error=repr(error))


async def _watch(channel: AbstractChannel, lost: asyncio.Future[str]) -> None:
    """Resolve `lost` when the channel closes or RabbitMQ cancels the consumer."""

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


async def _close(closing: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await closing
    except broker.UNAVAILABLE:
        return
