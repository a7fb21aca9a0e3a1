from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

import asyncpg

from services.api.access.model import Key, Principal, Scope
from services.api.refusals import NotFound
from shared import sql
from shared.postgres import Connection

_queries = sql.load("services.api.access")


async def principal(conn: Connection, key: Key) -> Principal | None:
    """Return who holds `key`, or None where nobody does or it is revoked."""
    row = await conn.fetchrow(_queries.principal, key.sha256)
    if row is None:
        return None
    return Principal(row["id"], row["business_id"], frozenset(row["scopes"]))


async def create(conn: Connection, *, business_id: int, name: str, scopes: Iterable[Scope]) -> Key:
    """Store a new key and return it, for the only time; NotFound for an unknown business."""
    key = Key.generate()
    stored = await conn.fetchval(
        _queries.create, uuid4(), business_id, name, key.prefix, key.sha256, sorted(set(scopes))
    )
    if stored is None:
        raise NotFound("business")
    return key


async def all_keys(conn: Connection) -> Sequence[asyncpg.Record]:
    """Return id, business, name, prefix, scopes, times of creation and revocation of every key."""
    return await conn.fetch(_queries.all_keys)


async def revoke(conn: Connection, key: str) -> list[UUID]:
    """Revoke the keys with this id or prefix, for ever; NotFound where there is none."""
    rows = await conn.fetch(_queries.revoke, key)
    if not rows:
        raise NotFound("key")
    return [row["id"] for row in rows]
