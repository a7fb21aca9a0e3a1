"""The lines that docs/troubleshoot.md quotes, made by wrong settings and missing neighbours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from provision.servers import Servers
from tests.commands import ended
from tests.roles import acting
from tests.servers import address, administer

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshoot.md").read_text("utf-8")
NEIGHBOURS = {"DATABASE_URL": "postgresql://u@127.0.0.1:9/x", "AMQP_URL": "amqp://127.0.0.1:9"}
MAIL = {"SMTP_URL": "smtp://127.0.0.1:9", "MAIL_FROM": "a@b.example"}


async def seen(program: str, *words: str, status: int, **settings: str) -> str:
    """What a program prints before it ends with this status, without marks of code."""
    done = await ended(f"services.{program}", *words, settings=settings)
    assert done.status == status, done
    return done.err.strip().replace("`", "")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "Error: MAIL_FROM, SMTP_URL: are not set"),
        (
            MAIL | {"AMQP_URL_FILE": "/x"},
            "Error: AMQP_URL: set either AMQP_URL or AMQP_URL_FILE, not both",
        ),
        (
            {"SMTP_URL_FILE": "/nowhere", "MAIL_FROM": "a@b.example"},
            "Error: SMTP_URL_FILE: cannot be read: No such file or directory",
        ),
        (MAIL | {"LIST_UNSUBSCRIBE": "on"}, "Error: LIST_UNSUBSCRIBE: needs UNSUBSCRIBE_SECRET"),
    ],
)
async def test_wrong_settings_of_the_mailer(settings: dict[str, str], line: str) -> None:
    assert await seen("mailer", "run", status=2, **NEIGHBOURS, **settings) == line
    assert f"`{line}`" in PAGE


async def test_a_wrong_duration() -> None:
    line = "Error: DRAIN_DELAY: should be a number with a unit: 30s, 10m, 72h or 3d"
    assert await seen("api", "serve", status=2, **NEIGHBOURS, DRAIN_DELAY="5") == line
    assert f"`{line}`" in PAGE


async def test_nothing_listens() -> None:
    postgres = "Error: Postgres: [Errno 111] Connect call failed ('127.0.0.1', 9)"
    assert await seen("api", "migrate", status=1, **NEIGHBOURS) == postgres
    assert f"`{postgres}`" in PAGE
    smtp = "Error: no connection to port 9: …"
    assert (await seen("mailer", "check", status=1, **MAIL)).startswith(smtp.rstrip("…"))
    assert f"`{smtp}`" in PAGE


async def test_a_host_that_is_not_there() -> None:
    line = "Error: Postgres: [Errno -2] Name or service not known"
    url = {"DATABASE_URL": "postgresql://u@nowhere.invalid/x"}
    for words in (("migrate",), ("keys", "list")):
        assert await seen("api", *words, status=1, **url) == line
    assert f"`{line}`" in PAGE


async def test_a_database_that_is_not_there(servers: Servers) -> None:
    line = 'Error: Postgres: database "absent" does not exist'
    url = address(servers, "absent")
    assert await seen("api", "migrate", status=1, DATABASE_URL=url) == line
    assert f"`{line}`" in PAGE


@asynccontextmanager
async def empty(servers: Servers, name: str, *more: str) -> AsyncIterator[str]:
    """An empty database of this name."""
    await administer(servers, f'CREATE DATABASE "{name}" TEMPLATE template0 {" ".join(more)}')
    try:
        yield address(servers, name)
    finally:
        await administer(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_a_database_of_another_encoding(servers: Servers) -> None:
    line = (
        "Error: the database stores text as LATIN1, which cannot represent every name and message:"
        " create one with ENCODING 'UTF8'"
    )
    latin = ("ENCODING 'LATIN1'", "LC_COLLATE 'C'", "LC_CTYPE 'C'")
    async with empty(servers, "ledgerpost_test_latin", *latin) as url:
        assert await seen("api", "migrate", status=1, DATABASE_URL=url) == line
    assert f"`{line}`" in PAGE


async def test_a_database_without_migrations(servers: Servers) -> None:
    line = "Error: the database is not up to date: run ledgerpost-api migrate first"
    create = ("keys", "create", "--business", "1", "--name", "x")
    async with empty(servers, "ledgerpost_test_empty") as url:
        assert await seen("api", *create, status=1, DATABASE_URL=url) == line
    assert f"`{line}`" in PAGE


async def test_an_empty_ledger_and_a_role_that_is_not_the_owners(database: str) -> None:
    create = ("keys", "create", "--business", "1", "--name", "x")
    line = "Error: there is no business 1"
    assert await seen("api", *create, status=1, DATABASE_URL=database) == line
    assert f"`{line}`" in PAGE
    said = await seen("api", "pause", status=1, DATABASE_URL=acting(database, "mailer"))
    begins, _, ends = (
        "Error: Postgres: permission denied for table …; commands need the tables' owner, see Roles"
        " of the database in docs/postgres.md"
    ).partition("…")
    assert said.startswith(begins), said
    assert said.endswith(ends)
    assert f"`{begins}…{ends}`" in PAGE


async def test_a_database_of_a_newer_version(database: str) -> None:
    db = await asyncpg.connect(database)
    await db.execute("INSERT INTO schema_migrations VALUES ('9999_later.sql', '\\x00')")
    await db.close()
    said = await seen("api", "migrate", status=1, DATABASE_URL=database)
    assert said == "Error: 9999_later.sql was applied but this version does not have it"
    assert "`… was applied but this version does not have it`" in PAGE


async def test_rabbitmq_refuses_a_password_and_a_vhost(broker: str, database: str) -> None:
    parts = urlsplit(broker)
    for url, line in (
        (
            parts._replace(netloc=f"ledgerpost:wrong@{parts.hostname}:{parts.port}").geturl(),
            "RabbitMQ refused the connection: ACCESS_REFUSED - …",
        ),
        (
            parts._replace(path="/absent").geturl(),
            "RabbitMQ refused the connection: NOT_ALLOWED - vhost absent not found",
        ),
    ):
        command = ("dead-letters", "list")
        said = await seen("mailer", *command, status=1, DATABASE_URL=database, AMQP_URL=url)
        assert line.rstrip("…") in said
        assert f"`{line}`" in PAGE
