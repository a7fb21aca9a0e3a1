from collections.abc import AsyncIterator

import pytest

from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import Api, serving
from tests.services.api.ledgers import new_key


@pytest.fixture(scope="module")
async def reader(readable: str) -> AsyncIterator[Api]:
    """An API for reading tests, whose processes end with it."""
    async with serving(ApiSettings(database_url=acting(readable, "api"))) as api:
        api.key = await new_key(readable)
        yield api
