import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.api.http import connections
from services.api.http.appkeys import DATABASES
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ONE = f"{REPORTS}/client/4/{NOVEMBER}"
NONE = f"{REPORTS}/client/4711/{NOVEMBER}"


async def test_a_request_gives_its_connection_back_however_it_ends(reader: Api) -> None:
    pool = reader.app[DATABASES]["main"].pool
    many = 2 * pool.get_max_size()
    answers = await asyncio.gather(*(reader.get(path) for path in (ONE, NONE) * many))
    assert [answer.status for answer in answers] == [200, 404] * many
    assert pool.get_idle_size() == pool.get_size()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_one_customer_and_its_key_are_looked_up_on_one_connection(
    reader: Api, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    # The process may use one for itself meanwhile, but not in each of five requests.
    lent, acquire = 0, asyncpg.Pool.acquire

    def counted(pool: asyncpg.Pool, **options: Any) -> Any:
        nonlocal lent
        lent += 1
        return acquire(pool, **options)

    monkeypatch.setattr(asyncpg.Pool, "acquire", counted)
    times = []
    for _ in range(5):
        lent = 0
        assert (await reader.ask(method, ONE)).status == 200
        times.append(lent)
    assert min(times) == 1


async def test_a_request_has_no_connection_while_its_body_is_on_its_way(reader: Api) -> None:
    pool, sent = reader.app[DATABASES]["main"].pool, asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await sent.wait()
        yield b"}"

    headers = {"Content-Type": "application/json"}
    assert (await reader.post(ONE, json={})).status == 200
    asked = asyncio.create_task(reader.post(ONE, data=body(), headers=headers))
    await asyncio.sleep(0.3)  # for the look-up of its key
    assert pool.get_idle_size() == pool.get_size() > 0
    sent.set()
    assert (await asked).status == 200


async def test_a_business_that_holds_its_share_of_connections_waits_and_another_does_not(
    reader: Api, other_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_POOL_WAIT_S", 0.1)
    assert (await reader.get(ONE)).status == 200
    turns, held = reader.app[DATABASES]["main"].turns, 0
    while turns.take_now(1):
        held += 1
    assert 1 < held < reader.app[DATABASES]["main"].pool.get_max_size()
    try:
        busy = await reader.get(ONE)
        mine, reader.key = reader.key, other_key
        other = await reader.get(NONE)
        reader.key = mine
    finally:
        for _ in range(held):
            turns.leave(1)
    assert (busy.status, busy.json["type"]) == (503, "/problems/unavailable")
    assert busy.headers["Retry-After"] == "1"
    assert other.status == 404  # it was looked for
    assert (await reader.get(ONE)).status == 200
