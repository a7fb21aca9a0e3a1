"""Changes of a branding at the same time, and what else touches its rows meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from services.api.access import daily_counts
from services.api.branding import store
from services.api.branding.logo.picture import Picture
from services.api.relay.pruner import Pruner
from shared.db import postgres
from tests.roles import acting
from tests.services.api.api_client import Api
from tests.services.api.branding.pictures import png

FIRST, SECOND = Picture(b"first", 10, 10), Picture(b"second", 10, 10)
BRANDING = "/api/v3/branding"
LOGO = f"{BRANDING}/logo"
PNG = {"Content-Type": "image/png"}


@pytest.fixture
async def conn(golden: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(golden)
    yield connection
    await connection.close()


async def test_changes_at_the_same_time_are_all_whole(
    api: Api, conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(daily_counts.MOST, "logos", 2)
    files = [png((side, 20)) for side in (10, 10, 20, 20, 30, 30)]
    logos = [api.ask("PUT", LOGO, data=data, headers=PNG) for data in files]
    texts = [api.ask("PUT", BRANDING, json={"how_to_pay": f"Account {n}"}) for n in range(4)]
    removals = [api.ask("DELETE", LOGO) for _ in range(2)]
    answers = await asyncio.gather(*logos, *texts, *removals)
    assert [answer.status for answer in answers[6:]] == [200] * 4 + [204] * 2
    assert sorted(answer.status for answer in answers[:6]) == [200] * 4 + [429] * 2
    assert await conn.fetchval("SELECT count(*) FROM logos") == 2


async def test_a_logo_that_comes_back_is_not_deleted_as_an_old_one(
    golden: str, conn: asyncpg.Connection
) -> None:
    await store.use_logo(conn, 1, FIRST)
    await store.use_logo(conn, 1, SECOND)
    await conn.execute("UPDATE logos SET created_at = now() - interval '2 d'")
    await conn.execute("UPDATE branding SET updated_at = now() - interval '2 d'")
    async with postgres.pool(acting(golden, "relay"), name="test", size=1) as pool:
        taken = conn.transaction()
        await taken.start()
        await store.use_logo(conn, 1, FIRST)
        pruner = Pruner(
            pool, history=timedelta(days=400), events=timedelta(days=30), returns=timedelta(days=30)
        )
        pruning = asyncio.create_task(pruner.step())
        await asyncio.wait({pruning}, timeout=0.5)
        await taken.commit()
        await pruning
    assert await conn.fetchval("SELECT count(*) FROM logos WHERE png = 'first'") == 1


async def test_a_business_goes_with_its_branding_and_logos(conn: asyncpg.Connection) -> None:
    await conn.execute(
        "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
        " VALUES (77, 1, 'Gone', 'GHS', 'UTC')"
    )
    await store.use_logo(conn, 77, FIRST)
    await conn.execute("DELETE FROM categories WHERE business_id = 77")
    await conn.execute("DELETE FROM businesses WHERE id = 77")
    assert not await conn.fetch("SELECT FROM logos UNION ALL SELECT FROM branding")
