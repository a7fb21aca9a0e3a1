"""The caller's name for a request, under which its repetitions find the first one's answer."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.api.access import daily_counts
from services.api.core.refusals import InFlight, Invalid, KeyReused
from shared.db import sql
from shared.db.postgres import Connection

_MAX_LENGTH = 255
_queries = sql.load("services.api.idempotency")


@dataclass(frozen=True)
class IdempotencyKey:
    """1 to 255 visible ASCII characters, unique within the business for 24 hours."""

    text: str

    @classmethod
    def parse(cls, headers: Sequence[str]) -> "IdempotencyKey | None":
        """Read the request's Idempotency-Key headers; none at all is no key."""
        if not headers:
            return None
        text = headers[0]
        if len(headers) > 1:
            raise Invalid("Idempotency-Key", "should be given once")
        if not 1 <= len(text) <= _MAX_LENGTH or not all("!" <= sign <= "~" for sign in text):
            raise Invalid("Idempotency-Key", "should have 1 to 255 visible ASCII characters")
        return cls(text)


@dataclass(frozen=True)
class Kept:
    """An answer as it was given first; `replayed` from an earlier request."""

    status: int
    answer: str
    replayed: bool = False


def fingerprint(*content: Any) -> bytes:
    """Return the digest of what a request asks for, of values that JSON knows."""
    return hashlib.sha256(json.dumps(content).encode()).digest()


async def once(
    conn: Connection,
    business_id: int,
    key: IdempotencyKey | None,
    asked: bytes,
    act: Callable[[], Awaitable[Kept]],
) -> Kept:
    """Carry out `act` on `conn` and keep its answer for 24 hours, or give the one that was kept.

    Both in one transaction: what raises is undone and leaves the key free. KeyReused where the key
    was given for something else than `asked`, InFlight while its first request is at work. Raises
    OverQuota if the business has used too many keys today.
    """
    if key is None:
        return await act()
    async with conn.transaction():
        kept = await _kept(conn, business_id, key, asked)
        if kept is None:
            if not await conn.fetchval(_queries.hold_key, business_id, key.text):
                raise InFlight
            # It may have come to its end between the look and the lock.
            kept = await _kept(conn, business_id, key, asked)
        if kept is None:
            kept = await act()
            await daily_counts.count(conn, business_id, "idempotency keys")
            await conn.execute(
                _queries.keep, business_id, key.text, asked, kept.status, kept.answer
            )
            return kept
        return replace(kept, replayed=True)


async def _kept(
    conn: Connection, business_id: int, key: IdempotencyKey, asked: bytes
) -> Kept | None:
    row = await conn.fetchrow(_queries.kept, business_id, key.text)
    if row is None:
        return None
    if row["fingerprint"] != asked:
        raise KeyReused
    return Kept(row["status"], row["answer"])
