"""Erases dead letters: refused requests are kept with their body and their key."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aio_pika.abc import AbstractIncomingMessage

from services.api.access.model import Key
from services.api.core.refusals import Unauthenticated
from services.api.erasure.model import Found, Whom
from shared.amqp import dead_letters, topology

# Returns whether the key with this digest belongs to the business, or None if it is unknown.
Owner = Callable[[bytes], Awaitable[bool | None]]

# The separators of words in JSON; no accepted address contains one of them.
_BETWEEN = re.compile(r"[\s\"\\<>,;:()\[\]]+")


class Dropped(NamedTuple):
    """The number of removed dead letters, and of those that name the erased data and stay.

    The latter stay because their key is unknown, and with it their business.
    """

    removed: int
    unknown: int


async def drop(url: str, whom: Whom, found: Found, owner: Owner) -> Dropped:
    """Remove the dead letters that name the erased customer or address; all others stay."""
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
    # The beginning of a request that was cut is not valid JSON.
    named = rf'(?<!\\)"customer_id"\s*:\s*"?0*{whom.customer_id}(?![0-9.])'
    return re.search(named, text) is not None


def _text(body: bytes) -> str:
    try:
        # Written again without escapes, because an address may contain them.
        return json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _is_wakeup(message: AbstractIncomingMessage) -> bool:
    return topology.entrance_of(dead_letters.queue(message.headers)) == topology.DELIVERIES


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
