"""The messages that could not be read or were returned too often."""

import hashlib
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from shared.amqp import topology
from shared.amqp.dead_letters import death, messages, opened, queue
from shared.process.logs import clean


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter; `id` is derived from the message, so it stays the same between calls."""

    id: str
    queue: str
    reason: str
    died_at: str
    body: bytes


class NoSuchDeadLetter(LookupError):
    """There is no dead letter with that id."""


class TruncatedDeadLetter(ValueError):
    """Only the beginning of the message was kept, so it cannot be replayed."""


REFUSED = (NoSuchDeadLetter, TruncatedDeadLetter)


async def read(url: str, most: int) -> list[DeadLetter]:
    """Return the oldest dead letters, which stay where they are."""
    async with opened(url) as channel:
        return [_letter(message) async for message in messages(channel, most)]


async def choose(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Return the dead letters that `replay` and `drop` would take; they stay where they are."""
    async with opened(url) as channel:
        return [_letter(message) for message in await _chosen(channel, wanted)]


async def drop(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Delete dead letters for good; all of them for None.

    Raises NoSuchDeadLetter, with nothing deleted, where one of `wanted` is not among them.
    """
    async with opened(url) as channel:
        chosen = await _chosen(channel, wanted)
        for message in chosen:
            await message.ack()
        return [_letter(message) for message in chosen]


async def replay(url: str, wanted: set[str] | None) -> list[DeadLetter]:
    """Put dead letters back into the queues they came from; all of them for None.

    Each is confirmed there before it leaves the dead letters. Raises NoSuchDeadLetter, with nothing
    replayed, where one of `wanted` is not among them.
    """
    async with opened(url) as channel:
        chosen = await _chosen(channel, wanted)
        if cut := [_letter(each).id for each in chosen if topology.CUT_FROM in each.headers]:
            raise TruncatedDeadLetter(f"of these only the beginning was kept: {', '.join(cut)}")
        for message in chosen:
            came_from = queue(message.headers)
            exchange = await channel.get_exchange(topology.EXCHANGE_OF[came_from], ensure=False)
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
        return [_letter(message) for message in chosen]


async def _chosen(
    channel: AbstractChannel, wanted: set[str] | None
) -> list[AbstractIncomingMessage]:
    found = [(_letter(message).id, message) async for message in messages(channel, None)]
    missing = (wanted or set()) - {key for key, _ in found}
    if missing:
        raise NoSuchDeadLetter(f"no dead letter {', '.join(sorted(missing))}")
    return [message for key, message in found if wanted is None or key in wanted]


def _letter(message: AbstractIncomingMessage) -> DeadLetter:
    digest = hashlib.sha256((message.message_id or "").encode() + b"\0" + message.body)
    told, last = message.headers, death(message.headers)
    return DeadLetter(
        id=digest.hexdigest()[:12],
        queue=queue(told),
        reason=clean(str(last.get("reason") or told.get(topology.REASON, "unknown"))),
        died_at=str(last.get("time") or told.get(topology.DIED_AT, "unknown")),
        body=message.body,
    )
