"""A report that breaks off must never look complete."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest

from provision.servers import Servers
from services.api.http.appkeys import STREAMS
from services.api.http.streams import pace, stream
from tests.servers import address, copied
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.conftest import Serve
from tests.services.api.ledgers import load_large, new_key

COPYING = "query LIKE 'COPY%' AND datname = current_database() AND state = 'active'"


@pytest.fixture(scope="module")
async def ledger(servers: Servers, database_template: str) -> AsyncIterator[str]:
    """A ledger whose report of 20,000 customers fits into no buffer; tests only read it."""
    async with copied(servers, database_template) as name:
        dsn = address(servers, name)
        await load_large(dsn, customers=20_000, each=1)
        yield dsn


@pytest.fixture
async def large(ledger: str, serve: Serve) -> Api:
    """The API on the large ledger."""
    api = await serve(ledger)
    api.key = await new_key(ledger)
    return api


@pytest.fixture
async def postgres(ledger: str) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(ledger)
    yield conn
    await conn.close()


async def begin(api: Api, version: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for the report, and read no more than its first bytes."""
    reader, writer = await api.connect()
    writer.write(
        f"GET {REPORTS}/{NOVEMBER} HTTP/{version}\r\nHost: test\r\n"
        f"Authorization: Bearer {api.key}\r\n\r\n".encode()
    )
    assert (await reader.readline()).split()[1] == b"200"
    return reader, writer


async def is_over(postgres: asyncpg.Connection) -> None:
    """Wait until no report is being read from Postgres."""
    async with asyncio.timeout(180):
        while await postgres.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {COPYING}"):
            await asyncio.sleep(0.05)


async def test_a_large_report_comes_whole(large: Api) -> None:
    answer = await large.get(f"{REPORTS}/{NOVEMBER}")
    rows = answer.json
    assert len(rows) == 20_000
    order = [(-row["balance"], row["id"]) for row in rows]
    assert order == sorted(order)


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_a_failure_in_mid_stream_breaks_the_connection_off(
    large: Api, postgres: asyncpg.Connection, version: str
) -> None:
    reader, writer = await begin(large, version)
    killed = await postgres.fetch(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {COPYING}"
    )
    assert len(killed) == 1
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert (await large.get(f"{REPORTS}/client/4/{NOVEMBER}")).status == 200


async def test_a_reader_that_stalls_is_cut_off(
    large: Api,
    postgres: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    logged: Callable[[], list[dict[str, Any]]],
) -> None:
    """It is no outage of Postgres, and no failure of ours: nobody may raise an alarm at will."""
    monkeypatch.setattr(pace, "_GRACE_S", 0.2)
    monkeypatch.setattr(pace, "_SLOWEST_BYTES", 2**40)
    reader, writer = await begin(large, "1.1")
    # Postgres may be done before: the rest of a report may wait in buffers of the API.
    await asyncio.sleep(2.5)
    await is_over(postgres)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    told = [(each["event"], each.get("status")) for each in logged() if each["level"] != "debug"]
    assert told == [("request_answered", 499)]


async def test_a_reader_that_takes_too_long_in_all_is_cut_off(
    large: Api, postgres: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "READING_S_MAX", 2.0)
    reader, writer = await begin(large, "1.1")
    await is_over(postgres)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_a_reader_that_leaves_ends_the_query(
    large: Api, postgres: asyncpg.Connection
) -> None:
    _, writer = await begin(large, "1.1")
    writer.transport.abort()
    await is_over(postgres)
    assert (await large.get(f"{REPORTS}/client/4/{NOVEMBER}")).status == 200


async def test_a_reader_that_drips_is_cut_off_and_a_steady_one_is_not(
    large: Api, postgres: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the first takes a piece now and then, and the second takes longer than the grace."""
    monkeypatch.setattr(pace, "_GRACE_S", 0.5)
    monkeypatch.setattr(pace, "_SLOWEST_BYTES", 4 * 2**20)
    steady, _ = await begin(large, "1.0")
    while await steady.read(2**18):
        await asyncio.sleep(0.02)
    monkeypatch.setattr(pace, "_SLOWEST_BYTES", 2**40)
    dripping, writer = await begin(large, "1.1")
    with pytest.raises(ConnectionResetError):
        await _drip(dripping)
    writer.close()


async def _drip(reader: asyncio.StreamReader) -> None:
    while await reader.read(2**16):
        await asyncio.sleep(0.1)


async def test_one_stream_too_many_is_told_to_come_again(
    reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_TURN_WAIT_S", 0.1)
    streams = reader.app[STREAMS]
    others = []
    while streams.take_now(other := 100 + len(others)):
        others.append(other)
    try:
        busy = await reader.get(f"{REPORTS}/{NOVEMBER}")
        one = await reader.get(f"{REPORTS}/client/4/{NOVEMBER}")
    finally:
        for other in others:
            streams.leave(other)
    assert (busy.status, one.status) == (503, 200)
    assert int(busy.headers["Retry-After"]) > 0
    assert (await reader.get(f"{REPORTS}/{NOVEMBER}")).status == 200


async def test_slow_readers_of_one_business_change_nothing_for_another(
    large: Api, ledger: str, postgres: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_TURN_WAIT_S", 0.1)
    slow = [await begin(large, "1.1") for _ in range(2)]
    more = [await large.get(f"{REPORTS}/{NOVEMBER}") for _ in range(3)]
    assert [answer.status for answer in more] == [503] * 3
    await postgres.execute(
        "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
        " VALUES (77, 1, 'Other', 'EUR', 'UTC')"
    )
    large.key = await new_key(ledger, 77)
    lists = await asyncio.gather(*(large.get(f"{REPORTS}/{NOVEMBER}") for _ in range(2)))
    assert [answer.status for answer in lists] == [200, 200]
    for _, writer in slow:
        writer.transport.abort()
