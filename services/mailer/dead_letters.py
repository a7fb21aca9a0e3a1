"""Dead letters: messages that could not be read or were returned too often."""

import hashlib
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.amqp import topology
from shared.amqp.dead_letters import death, messages, opened, queue
from shared.process.logs import clean


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter; its `id` is made from the message, so it is the same at every call."""

    id: str
    queue: str
    reason: str
    died_at: str
    body: bytes


class NoSuchDeadLetter(LookupError):
    """There is no dead letter with that id."""


class TruncatedDeadLetter(ValueError):
    """The dead letter has only the beginning of the message, so it cannot be replayed."""


REFUSED = (NoSuchDeadLetter, TruncatedDeadLetter)


async def read(url: str, most: int) -> list[DeadLetter]:
    """Return the oldest dead letters; they stay in their queue."""
    async with opened(url) as channel:
        return [_dead_letter(message) async for message in messages(channel, most)]


async def choose(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Return the dead letters that `replay` and `drop` would take; they stay in their queue."""
    async with opened(url) as channel:
        return [_dead_letter(message) for message in await _chosen(channel, wanted)]


async def drop(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Delete the dead letters with the ids `wanted`, or all if it is None; return them.

    Raises NoSuchDeadLetter, and deletes nothing, if one of `wanted` does not exist.
    """
    async with opened(url) as channel:
        chosen = await _chosen(channel, wanted)
        for message in chosen:
            await message.ack()
        return [_dead_letter(message) for message in chosen]


async def replay(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Put the dead letters `wanted`, or all if it is None, back into their queues; return them.

    RabbitMQ confirms each there before it leaves the dead letters. Raises NoSuchDeadLetter or
    TruncatedDeadLetter, and replays nothing, if one of them does not exist or is not complete.
    """
    async with opened(url) as channel:
        chosen = await _chosen(channel, wanted)
        if cut := [_dead_letter(each).id for each in chosen if topology.CUT_FROM in each.headers]:
            raise TruncatedDeadLetter(f"of these only the beginning is there: {', '.join(cut)}")
        for message in chosen:
            came_from = queue(message.headers)
            exchange = await channel.get_exchange(
                topology.entrance_of(came_from) or "", ensure=False
            )
            copy = aio_pika.Message(
                message.body,
                headers=topology.senders_headers(message.headers),
                message_id=message.message_id,
                correlation_id=message.correlation_id,
                reply_to=message.reply_to,
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )
            await exchange.publish(copy, came_from, mandatory=True, timeout=20)
            await message.ack()
        return [_dead_letter(message) for message in chosen]


async def _chosen(
    channel: AbstractChannel, wanted: set[str] | None
) -> list[AbstractIncomingMessage]:
    found = [(_dead_letter(message).id, message) async for message in messages(channel, None)]
    missing = (wanted or set()) - {key for key, _ in found}
    if missing:
        raise NoSuchDeadLetter(f"no dead letter {', '.join(sorted(missing))}")
    return [message for key, message in found if wanted is None or key in wanted]


def _dead_letter(message: AbstractIncomingMessage) -> DeadLetter:
    digest = hashlib.sha256((message.message_id or "").encode() + b"\0" + message.body)
    headers, last = message.headers, death(message.headers)
    return DeadLetter(
        id=digest.hexdigest()[:12],
        queue=queue(headers),
        reason=clean(str(last.get("reason") or headers.get(topology.REASON, "unknown"))),
        died_at=str(last.get("time") or headers.get(topology.DIED_AT, "unknown")),
        body=message.body,
    )
