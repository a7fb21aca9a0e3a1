"""Dead letters of whoever is erased: a refused request is kept with its body and its key."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aio_pika.abc import AbstractIncomingMessage

from services.api.access.model import Key
from services.api.core.refusals import Unauthenticated
from services.api.erasure.model import Found, Whom
from shared.amqp import dead_letters, topology

# Whether the key with this digest is of the business, of another one (False), or unknown (None).
Owner = Callable[[bytes], Awaitable[bool | None]]

# What separates words in JSON; no address that is taken contains any of it.
_BETWEEN = re.compile(r"[\s\"\\<>,;:()\[\]]+")


class Dropped(NamedTuple):
    """How many dead letters were removed, and how many name whom they may not belong to.

    Of the latter the key is unknown, so whose they are cannot be said: they stay.
    """

    removed: int
    unknown: int


async def drop(url: str, whom: Whom, found: Found, owner: Owner) -> Dropped:
    """Remove the dead letters of whom is erased; all others stay where they are."""
    removed = unknown = 0
    async with dead_letters.opened(url) as channel:
        async for message in dead_letters.messages(channel, None):
            if not _names(message, whom, found):
                continue
            is_own = _is_wakeup(message) or await _is_own(message, owner)
            if is_own:
                await message.ack()
            removed += is_own is True
            unknown += is_own is None
    return Dropped(removed, unknown)


def _names(message: AbstractIncomingMessage, whom: Whom, found: Found) -> bool:
    text = _text(message.body)
    words = {word.rstrip(".").lower() for word in _BETWEEN.split(text)}
    if _is_wakeup(message):
        return not words.isdisjoint(map(str, found.mails))
    if not words.isdisjoint(found.addresses):
        return True
    if whom.customer_id is None:
        return False
    # Of a request that is cut only the beginning is there, which is no JSON.
    named = rf'(?<!\\)"customer_id"\s*:\s*"?0*{whom.customer_id}(?![0-9.])'
    return re.search(named, text) is not None


def _text(body: bytes) -> str:
    try:
        # Without escapes: an address may be written with them.
        return json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _is_wakeup(message: AbstractIncomingMessage) -> bool:
    return dead_letters.queue(message.headers) == topology.DELIVERIES


async def _is_own(message: AbstractIncomingMessage, owner: Owner) -> bool | None:
    given = [
        value
        for name, value in message.headers.items()
        if name.lower() == "authorization" and isinstance(value, str)
    ]
    try:
        key = Key.bearer(given)
    except Unauthenticated:
        return None
    return await owner(key.sha256)
