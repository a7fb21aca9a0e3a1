"""The demo uses only its own database, and its key opens only its own business."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

from demo import database as whose
from demo import ledger
from demo.__main__ import up
from demo.failure import DemoFailed
from services.api.access import store
from services.api.core.refusals import SCOPES
from services.api.ledger.imports import import_directory

ROOT = Path(__file__).parents[2]
OWN = (
    "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
    " VALUES ({}, 1, '{}', 'EUR', 'UTC')"
)


async def execute(dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


async def names(dsn: str) -> list[str]:
    conn = await asyncpg.connect(dsn)
    try:
        return [row["name"] for row in await conn.fetch("SELECT name FROM businesses ORDER BY id")]
    finally:
        await conn.close()


async def key_of(dsn: str, business: int) -> str:
    conn = await asyncpg.connect(dsn)
    try:
        return (await store.create(conn, business_id=business, name="demo", scopes=SCOPES)).text
    finally:
        await conn.close()


@pytest.mark.parametrize("number", [1, ledger.WHOLESALER])
async def test_it_leaves_a_business_of_somebody_else_alone(
    database: str, broker: str, tmp_path: Path, number: int
) -> None:
    await execute(database, OWN.format(number, "My Shop"))
    environ = {"DATABASE_URL": database, "AMQP_URL": broker}
    with pytest.raises(DemoFailed, match=f"holds business {number} 'My Shop'") as failed:
        await asyncio.to_thread(up, tmp_path, environ)
    assert "\n" not in str(failed.value)
    assert await names(database) == ["My Shop"]


def test_the_command_says_so_in_one_line(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(execute(database, OWN.format(7, "My Shop")))
    assert whose.main([], {"DATABASE_URL": database}) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


async def test_a_ledger_of_ones_own_and_the_demo_share_no_id(database: str, tmp_path: Path) -> None:
    ledger.write(tmp_path)
    await execute(database, OWN.format(1, "My Shop"))
    await import_directory(database, tmp_path)
    assert (await names(database))[0] == "My Shop"


async def test_a_key_of_another_business_is_not_the_demos(database: str, tmp_path: Path) -> None:
    ledger.write(tmp_path)
    await execute(database, OWN.format(1, "My Shop"))
    await import_directory(database, tmp_path)
    assert not await whose.opens(database, await key_of(database, 1))
    assert not await whose.opens(database, "")
    assert await whose.opens(database, await key_of(database, ledger.WHOLESALER))


async def test_the_docs_say_how_to_leave_it(database: str, tmp_path: Path) -> None:
    ledger.write(tmp_path)
    await import_directory(database, tmp_path)
    await key_of(database, ledger.WHOLESALER)
    await execute(database, OWN.format(1, "My Shop"))
    text = (ROOT / "docs" / "docker.md").read_text("utf-8")
    (leaving,) = re.findall(r"^```sql\n(BEGIN;.*?)^```$", text, re.MULTILINE | re.DOTALL)
    await execute(database, leaving)
    assert await names(database) == ["My Shop"]
