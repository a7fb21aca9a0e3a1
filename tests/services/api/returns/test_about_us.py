"""Many bounces about the sender or the servers are shown to an operator, and to a monitor."""

from pathlib import Path

import aiohttp
import asyncpg
import pytest

from shared.returns.about_us import MANY
from tests.services.api.command import run, served
from tests.services.mailer.returns.test_returns_process import free_port, process
from tests.shared.deliveries.conftest import submit

BOUNCES = """
INSERT INTO returns (id, delivery_id, received_at, source, sha256, size, kind, scope)
SELECT gen_random_uuid(), $4, now() - $2::text::interval, 'smtp', sha256(number::text::bytea), 1,
    'bounce', $3
FROM generate_series(1, $1) AS number
"""


async def bounced(
    database: str, number: int, age: str, scope: str, *, is_matched: bool = True
) -> None:
    conn = await asyncpg.connect(database)
    [delivery] = await submit(conn, ["ana@client.example"])
    await conn.execute(BOUNCES, number, age, scope, delivery if is_matched else None)
    await conn.close()


@pytest.mark.parametrize(
    ("number", "age", "scope", "is_told"),
    [
        (MANY, "1 hour", "policy", True),
        (MANY, "1 hour", "infrastructure", True),
        (MANY - 1, "1 hour", "policy", False),
        (MANY, "7 hours", "policy", False),
        (MANY, "1 hour", "recipient", False),
    ],
)
async def test_status_tells_of_many_bounces_about_us(
    database: str,
    number: int,
    age: str,
    scope: str,
    is_told: bool,  # noqa: FBT001 - a row
) -> None:
    await bounced(database, number, age, scope)
    shown = await run("status", DATABASE_URL=database)
    assert shown.status == 0, shown.err
    assert (f"bounces of the scope {scope} in 6 hours: {number}" in shown.out) == is_told


async def test_mails_of_strangers_that_match_no_delivery_raise_no_warning(database: str) -> None:
    await bounced(database, MANY, "1 hour", "policy", is_matched=False)
    shown = await run("status", DATABASE_URL=database)
    assert "bounces of the scope" not in shown.out


async def test_readiness_warns_of_them_and_stays_200(
    database: str, broker: str, tmp_path: Path
) -> None:
    await bounced(database, MANY, "1 hour", "policy")
    warning = (
        f"bounces of the scope policy in 6 hours: {MANY} (they are about us or the servers; see"
        " returns list --kind bounce)"
    )
    ops, port = free_port(), free_port()
    settings = {"RETURNS_LISTEN": f"smtp://127.0.0.1:{port}", "RETURNS_OPS_PORT": str(ops)}
    async with process(database, tmp_path, **settings):
        assert await ready(f"http://127.0.0.1:{ops}") == (200, {"returns": warning})
    async with served("--with-relay", DATABASE_URL=database, AMQP_URL=broker) as (_, url, _):
        assert (await ready(url))[1] == {"returns": warning}


async def ready(url: str) -> tuple[int, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/health/ready") as response,
    ):
        return response.status, (await response.json())["warnings"]
