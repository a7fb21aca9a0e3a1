from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from provision.servers import Servers
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.servers import address, copied
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


@pytest.fixture(scope="session")
async def golden_template(servers: Servers, database_template: str) -> AsyncIterator[str]:
    """The name of a database that holds the golden ledger, and which nobody uses."""
    async with copied(servers, database_template) as name:
        await load_golden(address(servers, name))
        yield name


@pytest.fixture
async def golden(servers: Servers, golden_template: str) -> AsyncIterator[str]:
    """A database that holds the golden ledger, only for this test."""
    async with copied(servers, golden_template) as name:
        yield address(servers, name)


@pytest.fixture
async def api(golden: str, serve: Serve) -> Api:
    """A client of the API on the golden ledger, with a key of business 1."""
    api = await serve(golden)
    api.key = await new_key(golden)
    return api


@pytest.fixture(scope="session")
async def readable(servers: Servers, golden_template: str) -> AsyncIterator[str]:
    """A database with the golden ledger, for all tests that only read it."""
    async with copied(servers, golden_template) as name:
        yield address(servers, name)


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
