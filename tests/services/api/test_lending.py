import asyncio
from typing import Any

import asyncpg
import pytest

from services.api.appkeys import POOL
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ONE = f"{REPORTS}/client/4/{NOVEMBER}"
NONE = f"{REPORTS}/client/4711/{NOVEMBER}"


async def test_a_request_gives_its_connection_back_however_it_ends(reader: Api) -> None:
    pool = reader.app[POOL]
    many = 2 * pool.get_max_size()
    answers = await asyncio.gather(*(reader.get(path) for path in (ONE, NONE) * many))
    assert [answer.status for answer in answers] == [200, 404] * many
    assert pool.get_idle_size() == pool.get_size()


async def test_one_customer_and_its_key_are_looked_up_on_one_connection(
    reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent, acquire = 0, asyncpg.Pool.acquire

    def counted(pool: asyncpg.Pool, **options: Any) -> Any:
        nonlocal lent
        lent += 1
        return acquire(pool, **options)

    monkeypatch.setattr(asyncpg.Pool, "acquire", counted)
    assert (await reader.get(ONE)).status == 200
    assert lent == 1
