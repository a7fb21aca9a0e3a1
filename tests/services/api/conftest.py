from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from shared.settings import ApiSettings
from tests.services.api.api_client import Api, serving
from tests.services.api.ledgers import load_golden, new_key

Serve = Callable[[str], Awaitable[Api]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves the API on the database at the given address until the test is over."""
    async with AsyncExitStack() as stack:

        async def start(dsn: str) -> Api:
            return await stack.enter_async_context(serving(ApiSettings(database_url=dsn)))

        yield start


@pytest.fixture
async def golden(database: str) -> str:
    """A database that holds the golden ledger."""
    await load_golden(database)
    return database


@pytest.fixture
async def api(golden: str, serve: Serve) -> Api:
    """The API on the golden ledger, asked with a key of business 1."""
    api = await serve(golden)
    api.key = await new_key(golden)
    return api
