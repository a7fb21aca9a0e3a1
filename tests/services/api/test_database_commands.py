"""The commands over several databases."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from provision.servers import Servers
from tests.commands import ended
from tests.servers import address, copied

_BUSINESS = """INSERT INTO businesses (id, owner_id, name, currency, timezone)
               VALUES ($1, 1, 'B', 'EUR', 'UTC')"""


@pytest.fixture
async def both(
    servers: Servers, database: str, database_template: str
) -> AsyncIterator[dict[str, str]]:
    """The settings of two databases, with business 1 in main, 2 in east, and 3 in both."""
    async with copied(servers, database_template) as name:
        east = address(servers, name)
        for url, ids in ((database, (1, 3)), (east, (2, 3))):
            conn = await asyncpg.connect(url)
            for business in ids:
                await conn.execute(_BUSINESS, business)
            await conn.close()
        yield {"DATABASE_URLS": f"main={database}\neast={east}"}


async def test_migrate_verify_and_status_go_through_all(both: dict[str, str]) -> None:
    migrated = await ended("services.api", "migrate", settings=both)
    assert migrated.out == "main: up to date\neast: up to date\n", migrated
    for command in ("status", "verify"):
        done = await ended("services.api", command, settings=both)
        assert done.status == 0, done
        names = [line for line in done.out.splitlines() if line.endswith(":")]
        assert names == ["main:", "east:"]


async def test_a_business_leads_to_its_database(both: dict[str, str]) -> None:
    made = await ended(
        "services.api", "keys", "create", "--business", "2", "--name", "x", settings=both
    )
    assert made.out.startswith("ledgerpost_"), made
    for name, keys in (("main", 0), ("east", 1)):
        listed = await ended("services.api", "--database", name, "keys", "list", settings=both)
        assert len(listed.out.splitlines()) == 1 + keys, listed
    for business, words in ((4, "there is no business 4"), (3, "is in main and east")):
        refused = await ended("services.api", "pause", "--business", str(business), settings=both)
        assert refused.status == 1
        assert words in refused.err


@pytest.mark.parametrize(
    "words",
    [
        ["batches"],
        ["schedules"],
        ["in-doubt", "list"],
        ["returns", "list"],
        ["suppressions", "list"],
        ["suppressions", "list", "--lifted"],
        ["branding", "show"],
    ],
    ids=" ".join,
)
async def test_what_is_of_a_business_is_read_in_its_database(
    both: dict[str, str], words: list[str]
) -> None:
    done = await ended("services.api", *words, "--business", "2", settings=both)
    assert (done.status, done.err) == (0, ""), done


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keys", "list"], "choose one by --database: main, east"),
        (["--database", "west", "keys", "list"], "DATABASE_URLS has main, east"),
    ],
)
async def test_a_database_has_to_be_chosen(
    both: dict[str, str], words: list[str], said: str
) -> None:
    done = await ended("services.api", *words, settings=both)
    assert done.status == 2
    assert said in done.err
    assert "postgresql" not in done.err
