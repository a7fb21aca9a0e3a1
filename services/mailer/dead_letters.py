"""The messages that could not be read or were returned too often."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared import broker, topology
from shared.logs import clean


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter; `id` is derived from the message, so it stays the same between calls."""

    id: str
    queue: str
    reason: str
    died_at: str
    body: bytes


class NoSuchLetter(LookupError):
    """There is no dead letter with that id."""


class CutLetter(ValueError):
    """Only the beginning of the message was kept, so it cannot be replayed."""


REFUSED = (NoSuchLetter, CutLetter)


async def read(url: str, most: int) -> list[DeadLetter]:
    """Return the oldest dead letters, which stay where they are."""
    async with _open(url) as channel:
        return [_letter(message) async for message in _messages(channel, most)]


async def choose(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Return the dead letters that `replay` and `drop` would take; they stay where they are."""
    async with _open(url) as channel:
        return [_letter(message) for message in await _chosen(channel, wanted)]


async def drop(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Delete dead letters for good; all of them for None.

    Raises NoSuchLetter, with nothing deleted, where one of `wanted` is not among them.
    """
    async with _open(url) as channel:
        chosen = await _chosen(channel, wanted)
        for message in chosen:
            await message.ack()
        return [_letter(message) for message in chosen]


async def replay(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Put dead letters back into the queues they came from; all of them for None.

    Each is confirmed there before it leaves the dead letters. Raises NoSuchLetter, with nothing
    replayed, where one of `wanted` is not among them.
    """
    async with _open(url) as channel:
        chosen = await _chosen(channel, wanted)
        if cut := [_letter(each).id for each in chosen if topology.CUT_FROM in each.headers]:
            raise CutLetter(f"of these only the beginning was kept: {', '.join(cut)}")
        for message in chosen:
            queue = _letter(message).queue
            exchange = await channel.get_exchange(topology.EXCHANGE_OF[queue], ensure=False)
            copy = aio_pika.Message(
                message.body,
                headers=topology.senders_headers(message.headers),
                message_id=message.message_id,
                correlation_id=message.correlation_id,
                reply_to=message.reply_to,
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )
            await exchange.publish(copy, queue, mandatory=True, timeout=20)
            await message.ack()
        return [_letter(message) for message in chosen]


@asynccontextmanager
async def _open(url: str) -> AsyncIterator[AbstractChannel]:
    """Yield a channel; what it got and did not acknowledge goes back when it closes."""
    connection = await broker.connect(url, "ledgerpost-dead-letters")
    async with connection:
        channel = await connection.channel(on_return_raises=True)
        await topology.declare(channel)
        yield channel


async def _messages(
    channel: AbstractChannel, most: int | None
) -> AsyncIterator[AbstractIncomingMessage]:
    queue = await channel.get_queue(topology.DEAD_LETTERS)
    left = queue.declaration_result.message_count or 0
    for _ in range(left if most is None else min(left, most)):
        message = await queue.get(fail=False)
        if message is None:
            return
        yield message


async def _chosen(
    channel: AbstractChannel, wanted: set[str] | None
) -> list[AbstractIncomingMessage]:
    found = [(_letter(message).id, message) async for message in _messages(channel, None)]
    missing = (wanted or set()) - {key for key, _ in found}
    if missing:
        raise NoSuchLetter(f"no dead letter {', '.join(sorted(missing))}")
    return [message for key, message in found if wanted is None or key in wanted]


def _letter(message: AbstractIncomingMessage) -> DeadLetter:
    digest = hashlib.sha256((message.message_id or "").encode() + b"\0" + message.body)
    told = message.headers
    deaths = told.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths else {}
    last = death if isinstance(death, dict) else {}
    # What RabbitMQ added counts first: a sender can set headers, too.
    queue = str(last.get("queue") or told.get(topology.CAME_FROM))
    return DeadLetter(
        id=digest.hexdigest()[:12],
        queue=queue if queue in topology.EXCHANGE_OF else topology.DELIVERIES,
        reason=clean(str(last.get("reason") or told.get(topology.REASON, "unknown"))),
        died_at=str(last.get("time") or told.get(topology.DIED_AT, "unknown")),
        body=message.body,
    )
