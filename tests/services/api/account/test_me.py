from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from services.api.access import store as keys
from services.api.core.refusals import SCOPES, Scope
from tests.services.api.api_client import Api

ME = "/api/v3/me"


async def test_a_caller_is_told_its_business_its_key_and_its_limits(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    await conn.execute(
        "UPDATE businesses SET fiscal_year_start = '04-01', name = 'Kente',"
        " timezone = 'Asia/Tokyo', locale = 'ja-JP'"
    )
    answer = await api.get(ME)
    assert answer.status == 200
    told = answer.json
    key = await conn.fetchrow("SELECT id, name FROM api_keys WHERE business_id = 1")
    await conn.close()
    assert told["business"] == {
        "id": 1,
        "name": "Kente",
        "currency": "GHS",
        "timezone": "Asia/Tokyo",
        "fiscal_year_start": "04-01",
        "locale": "ja-JP",
    }
    assert told["key"] == {
        "id": str(key["id"]),
        "name": key["name"],
        "scopes": sorted(SCOPES),
        "expires_at": None,
    }
    assert told["limits"]["daily_quota"] == {"limit": 5000, "remaining": 5000}
    rate = answer.headers
    assert told["limits"]["rate"] == {
        "limit": int(rate["RateLimit-Limit"]),
        "remaining": int(rate["RateLimit-Remaining"]),
    }


@pytest.mark.parametrize("scope", SCOPES)
async def test_every_key_may_ask_and_is_told_its_own_scopes(
    api: Api, golden: str, scope: Scope
) -> None:
    conn = await asyncpg.connect(golden)
    expires = datetime.now(UTC) + timedelta(days=1)
    key = await keys.create(conn, business_id=2, name="lesser", scopes=[scope], expires_at=expires)
    await conn.close()
    told = (await api.get(ME, key=key.text)).json
    assert told["business"]["id"] == 2
    assert (told["key"]["name"], told["key"]["scopes"]) == ("lesser", [scope])
    assert told["key"]["expires_at"] == f"{expires:%Y-%m-%dT%H:%M:%S.%fZ}"


async def test_what_is_due_today_is_taken_from_the_quota(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    for business, days, recipients in ((1, 0, 3), (1, 0, 4), (1, 1, 50), (2, 0, 700)):
        day = (await conn.fetchval("SELECT now() AT TIME ZONE 'UTC'")).date() + timedelta(days)
        await conn.execute(
            "SELECT count_due_recipients($1, $2, $3, 5000)", business, day, recipients
        )
    await conn.close()
    assert (await api.get(ME)).json["limits"]["daily_quota"] == {"limit": 5000, "remaining": 4993}
