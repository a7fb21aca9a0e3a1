"""The mailer reads the logo that a frozen statement names, once."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

import asyncpg
import pytest

from services.mailer.delivery import logos as module
from services.mailer.delivery.claims import Claims
from services.mailer.delivery.logos import Logos
from shared.db import postgres
from shared.deliveries import worker
from shared.statements.logo import named_logo
from tests.roles import acting
from tests.shared.statements.snapshots import frozen, snapshot

PNG = b"\x89PNG" + bytes(600)
SHA256 = hashlib.sha256(PNG).digest()


@pytest.fixture
async def claims(database: str) -> AsyncIterator[Claims]:
    async with postgres.pool(acting(database, "mailer"), name="test", size=2) as pool:
        yield Claims(pool, timedelta(seconds=60), lambda: None)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute(
        "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
        " VALUES (1, 1, 'One', 'GHS', 'Africa/Accra'), (2, 1, 'Two', 'GHS', 'Africa/Accra')"
    )
    yield connection
    await connection.close()


async def store(conn: asyncpg.Connection, business: int, png: bytes) -> tuple[int, bytes]:
    sha256 = hashlib.sha256(png).digest()
    await conn.execute("INSERT INTO logos VALUES ($1, $2, $3, 600, 240)", business, sha256, png)
    return business, sha256


async def test_a_logo_is_that_of_the_business_alone(
    claims: Claims, conn: asyncpg.Connection
) -> None:
    business, other = 1, 2
    await store(conn, business, PNG)
    assert await claims.logo(business, SHA256) == PNG
    assert await claims.logo(other, SHA256) is None
    assert await claims.logo(business, bytes(32)) is None
    assert await Logos(claims).read(business, None) is None


async def test_logos_that_are_read_together_are_not_mixed_up(conn: asyncpg.Connection) -> None:
    first, second = await store(conn, 1, PNG), await store(conn, 2, PNG + b"2")
    foreign = (1, second[1])
    found = await worker.logos(conn, [second, first, foreign, second])
    assert found == [PNG + b"2", PNG, None, PNG + b"2"]


class _Table:
    """Claims that count how often a logo is read."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def logo(self, business_id: int, _: bytes) -> bytes | None:
        self.asked.append(business_id)
        return PNG if business_id else None


async def test_the_latest_logos_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHED_MAX", 2)
    table = _Table()
    logos = Logos(cast("Claims", table))
    for business in (1, 2, 1, 3, 1, 2):
        assert await logos.read(business, SHA256) == PNG
    assert table.asked == [1, 2, 3, 2]
    assert [await logos.read(0, SHA256) for _ in range(2)] == [None, None]
    assert table.asked[-2:] == [0, 0]


@pytest.mark.parametrize("space", ["", " "])
def test_a_snapshot_names_its_logo(space: str) -> None:
    def content(named: str | None, name: str = "Kente") -> str:
        made = snapshot(version=2, branding={"logo_sha256": named}, business__name=name)
        return frozen(made).decode().replace('"logo_sha256": ', f'"logo_sha256"{space}:{space}')

    assert named_logo(content("ab" * 32)) == b"\xab" * 32
    assert named_logo(content(None)) is None
    assert named_logo(content(None, f'x", "logo_sha256": "{"cd" * 32}')) is None
    assert named_logo(frozen(snapshot()).decode()) is None
