"""Private Postgres and RabbitMQ of the fault tests, which may be killed, stopped and wiped."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import asyncpg

from provision.place import place
from provision.servers import own_cluster, own_postgres, own_rabbitmq
from services.api.access import store as access
from services.api.core.refusals import SCOPES
from services.api.ledger.imports import import_directory
from shared.amqp import broker, topology
from shared.db.migrate import migrate
from tests.faults.processes import ROOT
from tests.roles import make_logins
from tests.vhosts import Vhosts

_GOLDEN = ROOT / "tests" / "fixtures" / "golden"
_TEMPLATE = "faults_template"
_SIDE_BY_SIDE = 4  # cases mostly wait, and one process is the smarthost of all


class Neighbours:
    """Both servers, for `async with`; a broker at `amqp_url` replaces the private one."""

    def __init__(self, amqp_url: str | None = None) -> None:
        name = f"faults-{os.getpid()}"
        self._folder = place(ROOT, name, lasting=False)
        self._link = ROOT / "var" / name
        self.postgres = own_postgres(ROOT, name, durable=False)
        # Another RabbitMQ than the machine's: the folder of its programs, or a suite of Debian.
        other = os.environ.get("FAULTS_RABBITMQ")
        self.rabbitmq = own_rabbitmq(ROOT, name, management=True, other=other)
        self._given = amqp_url
        self._starting = asyncio.Lock()
        self.key = ""

    @property
    def owns_the_broker(self) -> bool:
        """Whether the broker may be killed."""
        return self._given is None

    def width(self, *, full: bool) -> int:
        """The number of cases that may run at once; a foreign broker has one vhost."""
        if not self.owns_the_broker:
            return 1
        return _SIDE_BY_SIDE // 2 if full else _SIDE_BY_SIDE

    async def __aenter__(self) -> Self:
        await self.ready()
        await self._administer(f"CREATE DATABASE {_TEMPLATE}")
        dsn = self.address(_TEMPLATE)
        await migrate(dsn)
        await make_logins(dsn)
        await import_directory(dsn, _GOLDEN)
        conn = await asyncpg.connect(dsn)
        key = await access.create(conn, business_id=1, name="faults", scopes=SCOPES)
        self.key = key.text
        await conn.close()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self.postgres.wipe)
        await asyncio.to_thread(self.rabbitmq.wipe)
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            self._link.unlink()

    async def ready(self) -> None:
        """Start the stopped servers."""
        async with self._starting:
            starts = [asyncio.to_thread(self.postgres.start)]
            if self.owns_the_broker:
                starts.append(asyncio.to_thread(self.rabbitmq.start))
            await asyncio.gather(*starts)

    def address(self, database: str) -> str:
        """The address of one database."""
        return urlsplit(self.postgres.url)._replace(path=f"/{database}").geturl()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[str]:
        """Yield the address of a database with the golden ledger, for one case."""
        name = f"faults_{secrets.token_hex(6)}"
        await self._administer(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        try:
            yield self.address(name)
        finally:
            await asyncio.to_thread(self.postgres.start)
            await self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    @asynccontextmanager
    async def broker(self, *, alone: bool) -> AsyncIterator[str]:
        """Yield the address of an empty vhost, for one case.

        If `alone`, the default vhost is used, because a wiped broker loses its vhosts.
        """
        if alone or not self.owns_the_broker:
            url = self._given or self.rabbitmq.url
            await _empty(url)
            yield url
            return
        management = self.rabbitmq.management_url
        assert management is not None
        vhosts, name = Vhosts(management), f"faults_{secrets.token_hex(6)}"
        await asyncio.to_thread(vhosts.create, name)
        try:
            yield urlsplit(self.rabbitmq.url)._replace(path=f"/{name}").geturl()
        finally:
            await asyncio.to_thread(vhosts.delete, name)

    async def _administer(self, statement: str) -> None:
        conn = await asyncpg.connect(self.postgres.url)
        try:
            await conn.execute(statement)
        finally:
            await conn.close()


async def _empty(url: str) -> None:
    connection = await broker.connect(url, "faults")
    async with connection:
        channel = await connection.channel()
        for queue in topology.QUEUES:
            await channel.queue_delete(queue)
        for exchange in (*topology.EXCHANGE_OF.values(), topology.DEAD_LETTERS, topology.EVENTS):
            await channel.exchange_delete(exchange)


def sweep_away() -> None:
    """Stop the servers of an earlier run that was killed."""
    for folder in (ROOT / "var").glob("faults-*"):
        if not Path(f"/proc/{folder.name.removeprefix('faults-')}").exists():
            own_postgres(ROOT, folder.name, durable=False).wipe()
            own_rabbitmq(ROOT, folder.name).wipe()
            own_cluster(ROOT, folder.name).wipe()
            shutil.rmtree(folder.resolve(), ignore_errors=True)
            folder.unlink(missing_ok=True) if folder.is_symlink() else None
