"""A real PgBouncer in front of a database, if PgBouncer is installed."""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from provision.ports import free_ports
from tests.servers import absent

_SETTINGS = """
[databases]
{name} = host={host} port={port} dbname={name} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 30
max_client_conn = 200
{more}
"""


@asynccontextmanager
async def pooled(database: str, mode: str = "transaction", more: str = "") -> AsyncIterator[str]:
    """The address of the database through a pool in this mode, with `more` settings."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        absent("pgbouncer is not installed")
    [listen] = free_ports(1)
    with TemporaryDirectory() as folder:
        settings = _configured(Path(folder), database, listen, mode=mode, more=more)
        # It refuses to be root.
        account = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = await asyncio.create_subprocess_exec(
            program, "-q", *account, settings, stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            await _listens(listen)
            yield f"postgresql://anybody@127.0.0.1:{listen}{urlsplit(database).path}"
        finally:
            process.terminate()
            await process.wait()


def _configured(folder: Path, database: str, listen: int, **others: str) -> Path:
    """Write its settings to a file that it can read after it has changed its user."""
    parts = urlsplit(database)
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _SETTINGS.format(
            name=parts.path[1:],
            host=parts.hostname,
            port=parts.port,
            user=parts.username,
            password=parts.password,
            listen=listen,
            **others,
        )
    )
    folder.chmod(0o755)
    return settings


async def _listens(port: int) -> None:
    async with asyncio.timeout(180):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
