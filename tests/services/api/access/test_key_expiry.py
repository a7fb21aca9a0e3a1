import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.command import run

ONE = f"{REPORTS}/client/4/{NOVEMBER}"
LAST_USED = "SELECT last_used_at FROM api_keys WHERE name = 'until'"


async def create(dsn: str, expires: str) -> str:
    made = await run(
        "keys", "create", "--business", "1", "--name", "until", "--expires", expires,
        DATABASE_URL=dsn,
    )  # fmt: skip
    assert (made.status, made.err) == (0, ""), made
    return made.out.strip()


async def line_of(dsn: str, name: str) -> list[str]:
    listed = await run("keys", "list", DATABASE_URL=dsn)
    [line] = [line for line in listed.out.splitlines() if f" {name} " in line]
    return re.split(r"  +", line)


async def test_an_expired_key_says_so(golden: str, api: Api) -> None:
    key = await create(golden, "90d")
    assert (await api.get(ONE, key=key)).status == 200
    conn = await asyncpg.connect(golden)
    left = await conn.fetchval("SELECT expires_at - now() FROM api_keys WHERE name = 'until'")
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)
    for past in ("2020-01-02T03:04:05Z", "now"):
        await conn.execute(
            "UPDATE api_keys SET expires_at = $1::text::timestamptz WHERE name = 'until'", past
        )
        for _ in range(2):
            answer = await api.get(ONE, key=key)
            assert answer.status == 401
            assert answer.json["type"] == "/problems/unauthenticated"
            assert "This key expired at 2" in answer.json["detail"]
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    await conn.execute("UPDATE api_keys SET expires_at = 'infinity' WHERE name = 'until'")
    await conn.close()
    assert (await api.get(ONE, key=key)).status == 200


async def test_an_expired_key_neither_counts_nor_is_used(golden: str, api: Api) -> None:
    key = await create(golden, "1d")
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE api_keys SET expires_at = now() WHERE name = 'until'")
    answer = await api.get(ONE, key=key)
    assert "RateLimit" not in answer.headers
    assert await conn.fetchval("SELECT count(*) FROM key_windows") == 0
    assert await conn.fetchval(LAST_USED) is None
    await conn.close()


async def test_a_date_is_the_last_day_of_a_key(golden: str) -> None:
    today = datetime.now(UTC).date()
    await create(golden, str(today))
    assert (await line_of(golden, "until"))[6] == f"{today}T23:59:59Z"


async def test_keys_list_tells_when_each_was_used_to_the_minute(golden: str, api: Api) -> None:
    key = await create(golden, "90d")
    assert (await line_of(golden, "until"))[7] == "-"
    await api.get(ONE, key=key)
    used = (await line_of(golden, "until"))[7]
    assert datetime.now(UTC) - datetime.fromisoformat(used) < timedelta(minutes=1)

    conn = await asyncpg.connect(golden)
    first = await conn.fetchval(LAST_USED)
    # Whoever leases another slice within the minute writes no more.
    await conn.execute("UPDATE key_windows SET ends_at = now()")
    for _ in range(20):
        await api.get(ONE, key=key)
    assert await conn.fetchval(LAST_USED) == first
    await conn.execute("UPDATE api_keys SET last_used_at = now() - interval '1 hour'")
    for _ in range(501):  # the longest slice
        await api.get(ONE, key=key)
    assert await conn.fetchval(LAST_USED) > first
    await conn.close()


@pytest.mark.parametrize("expires", ["2020-01-01", "0d", "-1d", "90", "soon", "99999999d", ""])
async def test_what_is_no_expiry_or_over_is_refused(readable: str, expires: str) -> None:
    refused = await run(
        "keys", "create", "--business", "1", "--name", "x", "--expires", expires,
        DATABASE_URL=readable,
    )  # fmt: skip
    assert (refused.status, refused.out) == (2, "")
    assert "--expires" in refused.err
