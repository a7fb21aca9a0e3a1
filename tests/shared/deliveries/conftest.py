from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.db import postgres

LEASE = timedelta(seconds=30)


async def submit(
    conn: postgres.Connection, emails: list[str], due: str = "-1 second", business: int = 1
) -> list[UUID]:
    """Store a send with a frozen statement; return its deliveries."""
    send, ids = uuid4(), [uuid4() for _ in emails]
    digest = await conn.fetchval(
        "INSERT INTO statements VALUES ($1, sha256('{}'), '{}') "
        "ON CONFLICT (business_id, sha256) DO UPDATE SET content = '{}' RETURNING sha256",
        business,
    )
    await conn.execute(
        "INSERT INTO sends VALUES ($1, $3, 4, '2024-11-01', '2024-11-30', NULL, false, '[]',"
        " now(), now() + interval '3 days', now(), $2)",
        send,
        digest,
        business,
    )
    await conn.execute(
        "INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at,"
        " expires_at, created_at, updated_at) SELECT id, $1, $5, place, email, lower(email),"
        " now() + $4::text::interval, now() + interval '3 days', now(), now()"
        " FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS d (id, email, place)",
        send,
        ids,
        emails,
        due,
        business,
    )
    return ids


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()
