import asyncpg
import pytest


@pytest.fixture
async def empty(database: str) -> str:
    """A database in which nothing was done, not even the first migration."""
    conn = await asyncpg.connect(database)
    await conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await conn.close()
    return database
