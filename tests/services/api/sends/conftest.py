from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.api.access import store as keys
from services.api.access.model import Key
from services.api.app import create_app
from shared.process.settings import ApiSettings
from tests.app_runner import running
from tests.roles import acting
from tests.services.api.sends.calls import Client

LEDGER = """
INSERT INTO businesses (id, owner_id, name, email, currency, timezone) VALUES
    (1, 1, 'Kente & Co', 'owner@kente.example.com', 'GHS', 'Africa/Accra'),
    (2, 2, 'Other Business', NULL, 'USD', 'America/New_York'),
    (3, 3, 'Café', 'not an address', 'BRL', 'America/Santiago');
INSERT INTO customers (business_id, id, owner_id, business_name, business_email, archived) VALUES
    (1, 4, 1, 'Ɛsi', 'esi@customers.example.com', 0),
    (1, 5, 1, 'No address', NULL, 0),
    (1, 6, 1, 'Gone Ltd', 'Gone@Customers.example.com', 1),
    (1, 7, 1, 'Malformed', 'call me', 0),
    (1, 8, 1, 'Blank', ' ', 0),
    (2, 4, 2, 'Amin', 'amin@other.example.com', 0),
    (2, 9, 2, 'Foreign', 'foreign@other.example.com', 0),
    (3, 1, 3, 'Summer', 'summer@santiago.example.com', 0);
"""


@pytest.fixture
async def ledger(database: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(database, server_settings={"timezone": "UTC"})
    await conn.execute(LEDGER)
    yield conn
    await conn.close()


@pytest.fixture
async def key(ledger: asyncpg.Connection) -> Key:
    return await keys.create(
        ledger, business_id=1, name="test", scopes=["reports:read", "transactions:send"]
    )


@pytest.fixture
async def api(database: str, key: Key) -> AsyncIterator[Client]:
    app = create_app(ApiSettings(database_url=acting(database, "api")))
    headers = {"Authorization": f"Bearer {key.text}"}
    async with running(app) as url, Client(url, headers=headers) as client:
        yield client
