"""The answers of requests with an Idempotency-Key, stored for their repetitions."""

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
        """Return the key in the Idempotency-Key headers, or None. Raises Invalid if it is none."""
        if not headers:
            return None
        text = headers[0]
        if len(headers) > 1:
            raise Invalid("Idempotency-Key", "should be given once")
        if not 1 <= len(text) <= _MAX_LENGTH or not all("!" <= sign <= "~" for sign in text):
            raise Invalid("Idempotency-Key", "should have 1 to 255 visible ASCII characters")
        return cls(text)


@dataclass(frozen=True)
class StoredAnswer:
    """The answer to a request; it is `replayed` if an earlier request got it first."""

    status: int
    answer: str
    replayed: bool = False


def fingerprint(*content: Any) -> bytes:
    """Return the digest of the values that make up a request, which JSON must be able to write."""
    return hashlib.sha256(json.dumps(content).encode()).digest()


async def earlier(
    conn: Connection, business_id: int, key: IdempotencyKey | None, asked: bytes
) -> StoredAnswer | None:
    """Return the answer that was stored for an earlier equal request, or None.

    Raises KeyReused if the key belongs to another request than `asked`.
    """
    stored = None if key is None else await _stored(conn, business_id, key, asked)
    return None if stored is None else replace(stored, replayed=True)


async def once(
    conn: Connection,
    business_id: int,
    key: IdempotencyKey | None,
    asked: bytes,
    act: Callable[[Connection], Awaitable[StoredAnswer]],
) -> StoredAnswer:
    """Run `act` and store its answer for 24 hours, or return the answer that was stored before.

    Both happen in one transaction: if `act` raises, nothing is stored and the key stays free.
    Raises KeyReused if the key belongs to another request than `asked`, InFlight while its first
    request is running, and OverQuota if the business has used too many keys today.
    """
    if key is None:
        return await act(conn)
    async with conn.transaction():
        stored = await _stored(conn, business_id, key, asked)
        if stored is None:
            if not await conn.fetchval(_queries.hold_key, business_id, key.text):
                raise InFlight
            # The first request may have ended between the look and the lock.
            stored = await _stored(conn, business_id, key, asked)
        if stored is None:
            stored = await act(conn)
            await daily_counts.count(conn, business_id, "idempotency keys")
            await conn.execute(
                _queries.store_answer, business_id, key.text, asked, stored.status, stored.answer
            )
            return stored
        return replace(stored, replayed=True)


async def _stored(
    conn: Connection, business_id: int, key: IdempotencyKey, asked: bytes
) -> StoredAnswer | None:
    row = await conn.fetchrow(_queries.stored_answer, business_id, key.text)
    if row is None:
        return None
    if row["fingerprint"] != asked:
        raise KeyReused
    return StoredAnswer(row["status"], row["answer"])
