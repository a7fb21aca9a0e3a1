from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from shared.mail.return_path import ReturnPaths
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import Answer, Api, serving
from tests.services.api.ledgers import new_key
from tests.services.api.returns.posts import DOMAIN, PATH, SECRET
from tests.shared.deliveries.conftest import submit

_STATE = """
UPDATE deliveries SET state = $2::text, sent_at = CASE $2::text WHEN 'sent' THEN now() END,
    lease_until = now()
WHERE id = $1
"""


@dataclass
class Post:
    """An API that takes in returned mail, and the database behind it."""

    api: Api
    db: asyncpg.Connection
    paths: ReturnPaths

    async def handed_over(self, state: str = "sent", business: int = 1) -> UUID:
        """Store a delivery in this state, and return its id."""
        [delivery] = await submit(self.db, ["ana@client.example"], business=business)
        await self.db.execute(_STATE, delivery, state)
        return delivery

    async def add(self, raw: bytes, recipient: str | None = None, **options: str) -> Answer:
        """Post a mail."""
        params = {} if recipient is None else {"recipient": recipient}
        headers = {"Content-Type": "message/rfc822"}
        return await self.api.post(PATH, data=raw, params=params, headers=headers, **options)

    async def state(self, delivery: UUID) -> str:
        """Return the state of a delivery."""
        found: str = await self.db.fetchval("SELECT state FROM deliveries WHERE id = $1", delivery)
        return found


@pytest.fixture
async def post(golden: str) -> AsyncIterator[Post]:
    db = await asyncpg.connect(golden)
    settings = ApiSettings(
        database_url=acting(golden, "api"), return_secret=SECRET, bounce_domain=DOMAIN
    )
    async with serving(settings) as api:
        api.key = await new_key(golden)
        yield Post(api, db, ReturnPaths(SECRET, DOMAIN))
    await db.close()
