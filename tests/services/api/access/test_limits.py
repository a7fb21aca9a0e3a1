import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from services.api.access import store
from services.api.access.attempts import Attempts
from services.api.access.model import Key
from services.api.access.rate_limit import Limits, Slice
from services.api.core.refusals import RateLimited
from shared.db import postgres
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import NOVEMBER, REPORTS, Api, serving
from tests.services.api.ledgers import new_key

ONE = f"{REPORTS}/client/4/{NOVEMBER}"
MINUTE = timedelta(minutes=1)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def two(golden: str) -> AsyncIterator[tuple[Api, Api]]:
    """Two instances of the API on one database, with one key that may ask 40 times a minute."""
    settings = ApiSettings(database_url=acting(golden, "api"), rate_limit=40)
    key = await new_key(golden)
    async with serving(settings) as first, serving(settings) as second:
        first.key = second.key = key
        yield first, second


async def test_two_instances_keep_one_limit_to_the_request(two: tuple[Api, Api]) -> None:
    statuses = [(await two[number % 2].get(ONE)).status for number in range(44)]
    assert statuses == [200] * 40 + [429] * 4


async def test_requests_at_the_same_time_are_never_more_than_the_limit(
    two: tuple[Api, Api],
) -> None:
    answers = await asyncio.gather(*(two[number % 2].get(ONE) for number in range(120)))
    assert Counter(answer.status for answer in answers) == {200: 40, 429: 80}


async def test_requests_at_the_same_time_lease_no_more_than_they_need(
    two: tuple[Api, Api],
) -> None:
    burst = await asyncio.gather(*(two[0].get(ONE) for _ in range(20)))
    then = [(await two[1].get(ONE)).status for _ in range(16)]
    assert [answer.status for answer in burst] + then == [200] * 36


async def test_who_waits_for_the_lease_of_another_goes_on_when_that_fails(
    two: tuple[Api, Api], golden: str
) -> None:
    wrong = Key.generate().text
    answers = await asyncio.gather(*(two[0].get(ONE, key=wrong) for _ in range(20)))
    assert {answer.status for answer in answers} == {401}
    assert (await two[0].get(ONE)).status == 200


async def test_an_answer_tells_what_is_left(two: tuple[Api, Api]) -> None:
    first, second = await two[0].get(ONE), await two[0].get(f"{REPORTS}/{NOVEMBER}")
    for left, answer in ((39, first), (38, second)):
        assert answer.status == 200
        assert answer.headers["RateLimit-Limit"] == "40"
        assert answer.headers["RateLimit-Remaining"] == str(left)
        assert 0 < (reset := int(answer.headers["RateLimit-Reset"])) <= 60
        assert answer.headers["RateLimit-Policy"] == '"key";q=40;w=60'
        assert answer.headers["RateLimit"] == f'"key";r={left};t={reset}'
    assert "RateLimit" not in (await two[0].get("/health/live")).headers


async def test_one_too_many_is_told_when_to_come_again(two: tuple[Api, Api], golden: str) -> None:
    for _ in range(40):
        last = await two[0].get(ONE)
    assert last.headers["RateLimit-Remaining"] == "0"
    for api in two:
        refused = await api.get(ONE)
        assert refused.status == 429
        assert refused.json["type"] == "/problems/rate-limited"
        assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["RateLimit-Remaining"] == "0"
    # Another key of the same business has a limit of its own.
    assert (await two[0].get(ONE, key=await new_key(golden))).status == 200


async def test_a_window_that_is_over_begins_anew(two: tuple[Api, Api], golden: str) -> None:
    for _ in range(41):
        refused = await two[0].get(ONE)
    assert refused.status == 429
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE key_windows SET ends_at = now() - interval '1 second'")
    await conn.close()
    answer = await two[1].get(ONE)
    assert (answer.status, answer.headers["RateLimit-Remaining"]) == (200, "39")


async def test_a_refused_key_costs_no_query(two: tuple[Api, Api], golden: str) -> None:
    for _ in range(41):
        await two[0].get(ONE)
    conn = await asyncpg.connect(golden)
    await conn.execute("ALTER TABLE api_keys RENAME TO api_keys_away")
    assert (await two[0].get(ONE)).status == 429
    assert (await two[1].get(ONE)).status == 503
    await conn.close()


async def test_a_session_that_takes_no_writes_any_more_still_tells_who_asks(golden: str) -> None:
    """Until the pool has given it up: a new one would be refused."""
    key = Key.parse(await new_key(golden))
    assert key is not None
    conn = await postgres.connect(acting(golden, "api"), name="test")
    await conn.execute("SET default_transaction_read_only = on")
    admitted = await store.admit(conn, key.sha256, 40)
    await conn.close()
    assert admitted is not None
    holder, lease = admitted
    assert (holder.business_id, lease) == (1, None)


async def test_a_key_that_was_valid_before_is_not_looked_up_for_ever(
    two: tuple[Api, Api], golden: str
) -> None:
    revoked = await new_key(golden)
    assert (await two[0].get(ONE, key=revoked)).status == 200
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE api_keys SET revoked_at = now() WHERE prefix = $1", revoked[:19])
    await conn.close()
    statuses = [(await two[0].get(ONE, key=revoked)).status for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2


async def test_a_key_that_opens_nothing_is_not_looked_up_for_ever(two: tuple[Api, Api]) -> None:
    revoked = Key.generate().text
    statuses = [(await two[0].get(ONE, key=revoked)).status for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2
    refused = await two[0].get(ONE, key=revoked)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    # Others from the same address are served, and told what is wrong with their key.
    assert (await two[0].get(ONE)).status == 200
    assert (await two[0].get(ONE, key=Key.generate().text)).status == 401


def test_a_slice_is_used_up_before_another_is_leased() -> None:
    clock = Clock()
    limits = Limits(10, clock)
    assert limits.take(b"k") is None
    assert limits.add(b"k", Slice(2, 2, MINUTE)).remaining == 9
    taken = limits.take(b"k")
    assert taken is not None
    assert (taken.remaining, taken.is_allowed) == (8, True)
    assert limits.take(b"k") is None
    assert limits.add(b"k", Slice(0, 10, MINUTE)).is_allowed is False
    refused = limits.take(b"k")
    assert refused is not None
    with pytest.raises(RateLimited) as error:
        refused.check()
    assert error.value.retry_after == MINUTE
    clock.now += 60
    assert limits.take(b"k") is None


def test_a_slice_of_another_window_does_not_add_up() -> None:
    clock = Clock()
    limits = Limits(100, clock)
    limits.add(b"k", Slice(50, 50, MINUTE))
    clock.now += 59
    assert limits.add(b"k", Slice(5, 5, MINUTE)).remaining == 99


def test_refused_keys_are_forgotten_after_a_minute() -> None:
    clock = Clock()
    refused = Attempts(clock)
    for _ in range(60):
        refused.check(b"a")
        refused.count(b"a")
    with pytest.raises(RateLimited):
        refused.check(b"a")
    refused.check(b"b")
    clock.now += 60
    refused.check(b"a")
    refused.count(b"a")
    refused.check(b"a")


def test_what_is_remembered_is_bounded() -> None:
    limits, refused = Limits(10), Attempts()
    for number in range(10_100):
        limits.add(str(number).encode(), Slice(1, 1, MINUTE))
        refused.count(str(number).encode())
    assert len(limits._windows) == len(refused._counts) == 10_000
    assert limits.knows(b"10099")
    assert not limits.knows(b"0")
