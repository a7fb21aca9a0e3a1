"""Reports from a real streaming replica: never older than what the caller has seen."""

import asyncio
import os
import random
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from provision import programs
from provision.place import place
from provision.postgres import Postgres
from services.api.http.replica import HEADER, REPLICA
from shared.db.migrate import migrate
from shared.process.settings import ApiSettings
from tests.roles import acting, make_logins
from tests.servers import ROOT
from tests.services.api.api_client import NOVEMBER, REPORTS, Answer, Api, serving
from tests.services.api.ledgers import load_golden, new_key
from tests.services.api.tcp_proxy import Proxy, between

LIST = f"{REPORTS}/{NOVEMBER}"
SUMMARY = f"{LIST}/summary"
# Thousands of rounds: LEDGERPOST_REPLICA_ROUNDS=5000.
ROUNDS = int(os.environ.get("LEDGERPOST_REPLICA_ROUNDS", "150"))
_ADD = "UPDATE invoices SET total = total + 1 WHERE business_id = 1 AND id = 1"


@dataclass
class Pair:
    """A primary and its replica, and the API that reads reports from the replica by a proxy."""

    api: Api
    primary: asyncpg.Connection
    replica: asyncpg.Connection
    proxy: Proxy
    dsn: str

    async def pause(self) -> None:
        await self.replica.execute("SELECT pg_wal_replay_pause()")
        paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
        async with asyncio.timeout(180):
            while not await self.replica.fetchval(paused):
                await asyncio.sleep(0.01)

    async def resume(self) -> None:
        await self.replica.execute("SELECT pg_wal_replay_resume()")

    async def caught_up(self) -> None:
        """Wait until the replica has replayed what is written now."""
        written = await self.primary.fetchval("SELECT pg_current_wal_lsn()::text")
        async with asyncio.timeout(180):
            while not await self.replica.fetchval(
                "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", written
            ):
                await asyncio.sleep(0.01)

    async def written(self) -> str:
        """Return the token of a program that has just written by SQL."""
        token: str = await self.primary.fetchval("SELECT pg_current_wal_insert_lsn()::text")
        return token

    async def get(self, seen: str | None = None, path: str = LIST) -> Answer:
        return await self.api.get(path, headers={} if seen is None else {HEADER: seen})


def figures(answer: Answer) -> Any:
    """What a list or a summary says, without the time at which it was made."""
    assert answer.status == 200, answer.text
    found = answer.json
    return found if isinstance(found, list) else found["totals"]


def balance(answer: Answer) -> Decimal:
    """The balance of customer 4, which the writes of these tests change."""
    assert answer.status == 200, answer.text
    [row] = [row for row in answer.json if row["id"] == 4]
    found: Decimal = row["balance"]
    return found


@pytest.fixture(scope="module")
def servers_of_pair() -> Iterator[tuple[str, str]]:
    """The URLs of a primary and its replica, only for this file."""
    token = secrets.token_hex(4)
    primary, replica = (
        Postgres(
            place(ROOT, "test") / f"{name}-{token}", lambda: programs.postgres(ROOT), durable=False
        )
        for name in ("primary", "replica")
    )
    try:
        primary.start()
        yield primary.url, replica.follow(primary)
    finally:
        for each in (replica, primary):
            each.wipe()
            shutil.rmtree(each.folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def pair(servers_of_pair: tuple[str, str]) -> AsyncIterator[Pair]:
    dsn, follower = servers_of_pair
    await migrate(dsn)
    await make_logins(dsn)
    await load_golden(dsn)
    primary, replica = await asyncpg.connect(dsn), await asyncpg.connect(follower)
    async with (
        between(follower) as proxy,
        serving(
            ApiSettings(
                database_url=acting(dsn, "api"),
                database_replica_url=acting(proxy.dsn, "api"),
                rate_limit=10_000_000,
            )
        ) as api,
    ):
        api.key = await new_key(dsn)
        made = Pair(api, primary, replica, proxy, dsn)
        await made.caught_up()
        yield made
    await primary.close()
    await replica.close()


@pytest.mark.parametrize("path", [LIST, SUMMARY])
async def test_only_a_caller_without_the_token_sees_what_the_replica_has_not_replayed(
    pair: Pair, path: str
) -> None:
    await pair.caught_up()
    before = await pair.get(path=path)
    await pair.pause()
    try:
        await pair.primary.execute(_ADD)
        stale = await pair.get(path=path)
        assert figures(stale) == figures(before)
        fresh = await pair.get(await pair.written(), path)
        assert figures(fresh) != figures(before)
        # The answer of the primary has a token, with which nothing older is read.
        again = await pair.get(fresh.headers[HEADER], path)
        assert figures(again) == figures(fresh)
    finally:
        await pair.resume()
    await pair.caught_up()
    assert figures(await pair.get(path=path)) == figures(fresh)


async def test_a_tag_is_the_same_from_both(pair: Pair) -> None:
    await pair.caught_up()
    settings = ApiSettings(database_url=acting(pair.dsn, "api"))
    async with serving(settings) as alone:
        alone.key = pair.api.key
        for path in (LIST, SUMMARY):
            here, there = await alone.get(path), await pair.get(path=path)
            assert here.headers["ETag"] == there.headers["ETag"]
            assert figures(here) == figures(there)
            assert HEADER in there.headers
            assert HEADER not in here.headers
            had = {"If-None-Match": here.headers["ETag"]}
            assert (await pair.api.get(path, headers=had)).status == 304


async def test_nobody_reads_older_data_than_before(pair: Pair) -> None:
    """Writers, readers with tokens, and a replica whose replay stops again and again."""
    dice, seen, token = random.Random(7), Decimal(-(10**9)), None
    behind = 0
    await pair.caught_up()
    try:
        for _ in range(ROUNDS):
            match dice.choice(["write", "write and tell", "pause", "resume", "read"]):
                case "write":
                    await pair.primary.execute(_ADD)
                case "write and tell":
                    await pair.primary.execute(_ADD)
                    token, seen = await pair.written(), await _balance_on(pair.primary)
                case "pause":
                    await pair.replica.execute("SELECT pg_wal_replay_pause()")
                case "resume":
                    await pair.resume()
                case _:
                    pass
            answer = await pair.get(token)
            read = balance(answer)
            assert read >= seen
            if HEADER in answer.headers:  # not if the primary is too busy to say it
                seen, token = read, answer.headers[HEADER]
            behind += read < await _balance_on(pair.primary)
    finally:
        await pair.resume()
    # The replica was behind at times, and was read all the same.
    assert behind > 0


async def _balance_on(conn: asyncpg.Connection) -> Decimal:
    query = "SELECT opening_balance FROM customers WHERE business_id = 1 AND id = 4"
    opening = await conn.fetchval(query)
    total = await conn.fetchval(
        "SELECT coalesce(sum(CASE kind WHEN 'invoice' THEN total ELSE -total END), 0)"
        " FROM invoices WHERE business_id = 1 AND customer_id = 4 AND status = 'issued'"
    )
    paid = await conn.fetchval(
        "SELECT coalesce(sum(amount), 0) FROM payments p WHERE business_id = 1"
        " AND status = 'settled' AND invoice_id IN (SELECT id FROM invoices WHERE business_id = 1"
        " AND customer_id = 4 AND status = 'issued')"
    )
    found: Decimal = opening + total - paid
    return found


async def test_without_the_replica_the_primary_is_read_and_the_log_says_so_once(
    pair: Pair, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    await pair.caught_up()
    assert (await pair.get()).status == 200
    await pair.proxy.cut()
    for _ in range(5):
        await pair.primary.execute(_ADD)
        assert balance(await pair.get()) == await _balance_on(pair.primary)
    assert (await pair.api.get("/health/ready")).status == 200
    said = [each for each in logged() if each["event"].startswith("replica_away")]
    assert len(said) == 1
    await pair.proxy.open()
    replica = pair.api.app[REPLICA]
    assert replica is not None
    async with asyncio.timeout(180):
        while await replica.version(1, None) is None:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("token", ["", "0", "0/", "0/GG", "0/1;", "0/123456789", "'"])
async def test_what_is_no_token_is_refused(pair: Pair, token: str) -> None:
    refused = await pair.get(token)
    assert refused.fields == [HEADER]


async def test_what_is_no_token_is_refused_without_a_replica_too(reader: Api) -> None:
    """The same call is valid or not, whatever the operator has set up."""
    refused = await reader.get(LIST, headers={HEADER: "0"})
    assert (refused.status, refused.fields) == (422, [HEADER])
    assert (await reader.get(LIST, headers={HEADER: "FFFFFFFF/0"})).status == 200


async def test_a_token_of_the_future_is_read_from_the_primary(pair: Pair) -> None:
    await pair.primary.execute(_ADD)
    assert balance(await pair.get("FFFFFFFF/0")) == await _balance_on(pair.primary)


async def test_many_callers_with_a_token_of_the_future_do_not_switch_the_replica_off(
    pair: Pair,
) -> None:
    await pair.caught_up()
    replica = pair.api.app[REPLICA]
    assert replica is not None
    asked = (replica.version(1, "FFFFFFFF/FFFFFFFF") for _ in range(300))
    assert set(await asyncio.gather(*asked)) == {None}
    assert await replica.version(1, None) is not None
