"""Idempotency: stored answers, which repetitions of a request get under its Idempotency-Key."""

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
        """Read a request's Idempotency-Key headers, or return None if there are none.

        Raises Invalid if there are several, or the key is malformed.
        """
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
    """A stored answer; `replayed` if it was given to an earlier request."""

    status: int
    answer: str
    replayed: bool = False


def fingerprint(*content: Any) -> bytes:
    """Return the digest of a request's content, which consists of JSON values."""
    return hashlib.sha256(json.dumps(content).encode()).digest()


async def once(
    conn: Connection,
    business_id: int,
    key: IdempotencyKey | None,
    asked: bytes,
    act: Callable[[], Awaitable[Kept]],
) -> Kept:
    """Run `act` on `conn` and store its answer for 24 hours, or return the stored answer.

    Both happen in one transaction: if `act` raises, it is rolled back and the key stays free.
    Raises KeyReused if the key was used for another request than `asked`, InFlight while its first
    request is still running, and OverQuota if the business has used too many keys today.
    """
    if key is None:
        return await act()
    async with conn.transaction():
        kept = await _kept(conn, business_id, key, asked)
        if kept is None:
            if not await conn.fetchval(_queries.hold_key, business_id, key.text):
                raise InFlight
            # The first request may have ended between the query and the lock.
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
