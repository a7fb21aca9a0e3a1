"""Commands check their sessions with Postgres as the processes do."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from click.testing import CliRunner

from services.mailer.__main__ import cli as mailer
from tests.pgbouncer import pooled
from tests.services.api.command import run
from tests.shared.db.test_session import alter

GOLDEN = Path(__file__).parents[2] / "fixtures" / "golden"
READ_ONLY = "the server takes no writes: it is a replica, or read-only"
COMMANDS = (
    ("import", str(GOLDEN)),
    ("verify",),
    ("rebuild",),
    ("keys", "list"),
    ("status",),
    ("in-doubt", "list"),
)
# Notes as what sessions write; a plain one would obey the database.
NOTED = """
CREATE TABLE noted (isolation text, waits text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO noted VALUES (current_setting('transaction_isolation'),
                              current_setting('synchronous_commit'));
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT ON invoices EXECUTE FUNCTION note();
"""


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
async def test_a_server_that_takes_no_writes_is_refused(
    database: str, words: tuple[str, ...]
) -> None:
    await alter(database, "SET default_transaction_read_only = on")
    ended = await run(*words, DATABASE_URL=database)
    assert ended.status == 1
    assert ended.out == ""
    assert (
        ended.err == "Error: Postgres: the server takes no writes: it is a replica, or read-only\n"
    )


async def test_an_import_waits_for_its_commit_and_reads_what_is_committed(database: str) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(NOTED)
    await alter(database, "SET default_transaction_isolation = 'serializable'")
    await alter(database, "SET synchronous_commit = off")
    await alter(database, "SET datestyle = 'SQL, DMY'")
    ended = await run("import", str(GOLDEN), DATABASE_URL=database)
    assert (ended.status, ended.err) == (0, "")
    assert [tuple(row) for row in await conn.fetch("SELECT DISTINCT * FROM noted")] == [
        ("read committed", "on")
    ]
    await conn.close()


async def test_a_pool_of_transactions_is_refused(database: str) -> None:
    async with pooled(database) as through:
        ended = await run("import", str(GOLDEN), DATABASE_URL=through)
    assert ended.status == 1
    assert "pool_mode=session" in ended.err
    assert ended.err.count("\n") == 1


async def test_the_mailers_preview_comes_in_the_same_way(database: str) -> None:
    await alter(database, "SET default_transaction_read_only = on")
    settings = {"DATABASE_URL": database, "MAIL_FROM": "Ledgerpost <post@ledgerpost.example>"}
    words = ["preview", str(uuid4()), "--to", "-"]
    ended = await asyncio.to_thread(CliRunner().invoke, mailer, words, obj=settings)
    assert ended.exit_code == 1
    assert ended.stderr == f"Error: Postgres or RabbitMQ is not available: {READ_ONLY}\n"
