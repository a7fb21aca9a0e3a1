"""Fixtures: real Postgres and RabbitMQ, with a separate database and vhost for each test."""

import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import asyncpg
import pytest

from provision import servers as provision
from provision.place import place
from provision.program import Unavailable
from provision.servers import Servers
from shared.db.migrate import migrate
from tests.roles import make_logins
from tests.vhosts import Vhosts

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Postgres and RabbitMQ, shared by the sessions that run at the same time; the last stops them.

    Servers that run already (`python -m provision.servers start test`) are used and left running.
    """
    folder = place(ROOT, "test", lasting=False)
    ends_with_tests = folder / "ends-with-tests"
    with (folder / "sessions").open("w") as sessions:
        fcntl.flock(sessions, fcntl.LOCK_SH)
        if not provision.running(ROOT, "test"):
            ends_with_tests.touch()
        try:
            yield provision.start(ROOT, "test")
        except Unavailable as advice:
            absent(str(advice))
        finally:
            if _is_last(sessions.fileno()) and ends_with_tests.exists():
                provision.stop(ROOT, "test")
                ends_with_tests.unlink()


@pytest.fixture(scope="session")
async def database_template(servers: Servers) -> AsyncIterator[str]:
    """The name of a database to which every migration was applied, and which nobody uses."""
    name = _unique("template")
    await administer(servers, f'CREATE DATABASE "{name}"')
    await migrate(address(servers, name))
    await make_logins(address(servers, name))
    yield name
    await administer(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def database(servers: Servers, database_template: str) -> AsyncIterator[str]:
    """The URL of an empty migrated database, only for this test."""
    async with copied(servers, database_template) as name:
        yield address(servers, name)


@asynccontextmanager
async def copied(servers: Servers, template: str) -> AsyncIterator[str]:
    """Make a database as a copy of another that nobody uses, and remove it at the end."""
    name = _unique("test")
    await administer(servers, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield name
    await administer(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


def address(servers: Servers, database: str) -> str:
    """Return the URL of the database of this name."""
    return _address(servers.database_url, database)


@pytest.fixture
def broker(servers: Servers) -> Iterator[str]:
    """The URL of an empty RabbitMQ vhost, only for this test."""
    if servers.management_url is None:
        absent("AMQP_URL came without RABBITMQ_MANAGEMENT_URL: no vhosts can be made for tests")
    vhosts = Vhosts(servers.management_url)
    name = _unique("test")
    vhosts.create(name)
    yield _address(servers.amqp_url, name)
    vhosts.delete(name)


def absent(reason: str) -> NoReturn:
    """Skip the test because a server or program is missing; in CI this fails."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _is_last(sessions: int) -> bool:
    """Whether no other session uses the servers; if so, new ones wait until ours has ended."""
    try:
        fcntl.flock(sessions, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unique(kind: str) -> str:
    return f"ledgerpost_{kind}_{secrets.token_hex(6)}"


def _address(url: str, path: str) -> str:
    return urlsplit(url)._replace(path=f"/{path}").geturl()


async def administer(servers: Servers, statement: str) -> None:
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
