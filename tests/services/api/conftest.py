from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import asyncpg
import pytest

from provision.servers import Servers
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import Api, serving
from tests.services.api.ledgers import load_golden, new_key

Serve = Callable[[str], Awaitable[Api]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves the API on the database at the given address until the test is over."""
    async with AsyncExitStack() as stack:

        async def start(dsn: str) -> Api:
            return await stack.enter_async_context(
                serving(ApiSettings(database_url=acting(dsn, "api")))
            )

        yield start


@pytest.fixture
async def golden(database: str) -> str:
    """A database that holds the golden ledger."""
    await load_golden(database)
    return database


@pytest.fixture
async def api(golden: str, serve: Serve) -> Api:
    """A client of the API on the golden ledger, with a key of business 1."""
    api = await serve(golden)
    api.key = await new_key(golden)
    return api


@pytest.fixture(scope="session")
async def readable(servers: Servers, database_template: str) -> AsyncIterator[str]:
    """A database with the golden ledger, for all tests that only read it."""
    admin = await asyncpg.connect(servers.database_url)
    name = f"{database_template}_readable"
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{database_template}"')
    dsn = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
    await load_golden(dsn)
    yield dsn
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture(scope="session")
async def reader(readable: str) -> AsyncIterator[Api]:
    """A client of the API on the golden ledger, with a key of business 1; for reading tests."""
    async with serving(ApiSettings(database_url=acting(readable, "api"))) as api:
        api.key = await new_key(readable)
        yield api


@pytest.fixture(scope="session")
async def other_key(readable: str) -> str:
    """A key of business 2 for `reader`."""
    return await new_key(readable, 2)
