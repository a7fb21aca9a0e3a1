from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import uuid4

import asyncpg

from services.api.access.model import Key, Principal
from services.api.access.rate_limit import WINDOW, Slice
from services.api.core.refusals import NotFound, Scope
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.access")
_NOBODY = -1

Limited = Literal[
    "idempotency keys",
    "suppressions",
    "logos",
    "returned mails",
    "bytes of returned mails",
    "batches",
    "customers of batches",
    "changes of schedules",
    "times of sends",
]
Counted = Limited | Literal["refused requests"]


async def has_key(conn: Connection, digest: bytes) -> bool | None:
    """Return True if the database has the key with this hash and it is not revoked, or None."""
    found: bool | None = await conn.fetchval(_queries.has_key, digest)
    return found


async def principal(conn: Connection, digest: bytes) -> Principal | None:
    """Return the principal of the key with this hash; None if it is unknown or revoked."""
    row = await conn.fetchrow(_queries.principal, digest)
    return None if row is None else _principal(row)


async def principal_and_version(conn: Connection, digest: bytes) -> tuple[Principal, str] | None:
    """Return the principal of a key, and the version of the ledger as reports.store.version() does.

    Returns None if the key is unknown or revoked.
    """
    row = await conn.fetchrow(_queries.principal_and_version, digest)
    return None if row is None else (_principal(row), row["ledger_version"])


async def admit(
    conn: Connection, digest: bytes, limit: int
) -> tuple[Principal, Slice | None] | None:
    """Return the principal of a key and a slice of its `limit` per window, and record its use.

    There is no slice for an expired key, nor while Postgres does not accept writes: then reading
    requests are still served.
    """
    try:
        row = await conn.fetchrow(_queries.admit, digest, limit, WINDOW)
    except asyncpg.ReadOnlySQLTransactionError:
        holder = await principal(conn, digest)
        return None if holder is None else (holder, None)
    if row is None:
        return None
    leased = row["slice"] is not None
    return _principal(row), Slice(row["slice"], row["taken"], row["lasts"]) if leased else None


async def count_today(
    conn: Connection, business_id: int | None, kind: Counted, most: int, number: int = 1
) -> bool:
    """Count `number` more of a kind on this day in UTC; return False if there would be too many.

    The business is None for all requests without a valid key.
    """
    business = _NOBODY if business_id is None else business_id
    return await conn.fetchval(_queries.count_today, business, kind, most, number) is not None


async def database_time(conn: Connection) -> datetime:
    """Return the time by the clock of Postgres, by which count_today() counts."""
    time: datetime = await conn.fetchval(_queries.database_time)
    return time


async def create(
    conn: Connection,
    *,
    business_id: int,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime | None = None,
) -> Key:
    """Store the hash of a new key, and return the key.

    Raises NotFound if the business is unknown.
    """
    key = Key.generate()
    query = sql.call(
        _queries.create,
        id=uuid4(),
        business=business_id,
        name=name,
        prefix=key.prefix,
        sha256=key.sha256,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    if await conn.fetchval(*query) is None:
        raise NotFound("business")
    return key


async def all_keys(conn: Connection) -> Sequence[asyncpg.Record]:
    """Return the rows of all keys; the keys themselves are not stored."""
    return await conn.fetch(_queries.all_keys)


async def revoke(conn: Connection, key: str) -> None:
    """Revoke the keys with this id or prefix. Raises NotFound if there is none."""
    if not await conn.fetch(_queries.revoke, key):
        raise NotFound("key")


def _principal(row: asyncpg.Record) -> Principal:
    return Principal(
        row["id"],
        row["business_id"],
        frozenset(row["scopes"]),
        row["expires_at"],
        row["is_expired"],
    )
