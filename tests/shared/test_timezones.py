"""Time zones: only those in IANA's list, by import, by SQL and for older rows."""

import asyncpg
import pytest

from services.api.ledger.commands import verify
from shared import timezones
from shared.db import migrate
from tests.services.api.ledger.test_ledger_commands import run

OTHERS = (
    "right/Europe/Berlin", "posix/Asia/Tokyo", "posixrules", "Factory", "localtime", "PST", "IST",
    "UTC+3", "EST5", "europe/berlin", "Europe/Nowhere", "Europe/../Europe/Berlin", "",
)  # fmt: skip
MIGRATION = "0023_timezones_of_iana.sql"


async def test_the_ledger_takes_every_name_of_ianas_and_no_other(database: str) -> None:
    connection = await asyncpg.connect(database)
    rows = await connection.fetch(
        "SELECT name, is_timezone(name) AS taken FROM unnest($1::text[]) AS name",
        [*timezones.names(), *OTHERS],
    )
    # Postgres has files of its own, which may be of another year.
    known = {row[0] for row in await connection.fetch("SELECT name FROM pg_timezone_names")}
    taken = {row["name"] for row in rows if row["taken"]}
    assert taken == timezones.names() & known
    assert len(taken) > 400
    with pytest.raises(asyncpg.CheckViolationError, match="businesses_timezone_is_iana"):
        await connection.execute(
            "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
            " VALUES (9, 1, 'A', 'EUR', 'posix/Europe/Berlin')"
        )
    await connection.close()


async def test_a_business_of_before_keeps_its_zone_and_verify_names_it(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = migrate.migrations()
    before = {name: text for name, text in everything.items() if name < MIGRATION}
    monkeypatch.setattr(migrate, "migrations", lambda: before)
    await migrate.migrate(empty)
    connection = await asyncpg.connect(empty)
    await connection.execute(
        "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
        " VALUES (1, 1, 'A', 'EUR', 'posix/Europe/Berlin'), (2, 1, 'B', 'EUR', 'Europe/Berlin')"
    )
    monkeypatch.setattr(migrate, "migrations", lambda: everything)
    await migrate.migrate(empty)
    assert await connection.fetchval("SELECT count(*) FROM businesses") == 2
    result = await run(verify, empty)
    assert result.exit_code == 1
    assert "business 1: posix/Europe/Berlin" in result.output
    assert "business 2" not in result.output
    await connection.execute("UPDATE businesses SET timezone = 'Europe/Berlin' WHERE id = 1")
    await connection.execute(
        "ALTER TABLE businesses VALIDATE CONSTRAINT businesses_timezone_is_iana"
    )
    assert (await run(verify, empty)).exit_code == 0
    await connection.close()
