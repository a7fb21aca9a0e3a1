"""Two ways to back up a Postgres and to restore it into a new server: a dump, or base and WAL."""

import asyncio
import shutil
import subprocess
import time
from datetime import datetime
from pathlib import Path

import asyncpg

from provision import programs
from provision.account import Account
from provision.postgres import Postgres

ROOT = Path(__file__).parents[2]


class Dump:
    """`pg_dump` of the database, and `pg_dumpall` of the roles, which no dump of a database has."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self._postgres, self._kept = postgres, _kept(folder)
        self.took = 0.0

    async def take(self) -> None:
        """Back up while everything runs."""
        began, url = time.monotonic(), self._postgres.url
        await _run("pg_dump", "-Fc", "-f", self._kept / "ledgerpost.dump", url)
        await _run("pg_dumpall", "--roles-only", "-f", self._kept / "roles.sql", "-d", url)
        self.took = time.monotonic() - began

    async def restore(self) -> None:
        """Restore into an empty server at the same address."""
        await asyncio.to_thread(self._postgres.start)
        url = self._postgres.url
        # It complains of the role that initdb made, which is there already.
        await _run("psql", "-q", "-f", self._kept / "roles.sql", url)
        await _run("pg_restore", "--exit-on-error", "-d", url, self._kept / "ledgerpost.dump")


class Archive:
    """`pg_basebackup`, and every file of WAL that Postgres has finished since then."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self._postgres, self._kept = postgres, _kept(folder)
        self._wal = Account.current().folder(self._kept / "wal")
        self.took = 0.0

    async def prepare(self) -> None:
        """Let Postgres archive its WAL."""
        copied = f"{self._wal}/.%f"
        await self._set("archive_mode", "on")
        await self._set("archive_timeout", "60s")
        await self._set(
            "archive_command",
            f"test ! -f {self._wal}/%f && cp %p {copied} && mv {copied} {self._wal}/%f",
        )
        await asyncio.to_thread(self._postgres.stop)
        await asyncio.to_thread(self._postgres.start)

    async def take(self) -> None:
        """Back up while everything runs."""
        began, url = time.monotonic(), self._postgres.url
        options = ("--checkpoint=fast", "--no-sync", "-D", self._kept / "base")
        await _run("pg_basebackup", *options, "-d", url)
        await _run("pg_verifybackup", self._kept / "base")
        self.took = time.monotonic() - began

    async def switch(self) -> None:
        """Finish the current file of WAL, as `archive_timeout` does, and wait for its copy."""
        file = await self._fetch("SELECT pg_walfile_name(pg_switch_wal())")
        async with asyncio.timeout(180):
            while not (self._wal / file).exists():
                await asyncio.sleep(0.05)

    async def restore(self, to: datetime | None) -> None:
        """Restore into a new server at the same address, to a moment or to the archive's end."""
        data = self._postgres.folder / "data"
        await asyncio.to_thread(shutil.copytree, self._kept / "base", data)
        wanted = [f"restore_command = 'cp {self._wal}/%f %p'"]
        if to is not None:
            wanted += [f"recovery_target_time = '{to.isoformat()}'"]
            wanted += ["recovery_target_action = 'promote'"]
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write("\n".join([*wanted, ""]))
        (data / "recovery.signal").touch()
        account = Account.current()
        account.folder(data)
        if account.options:
            for inside in (data, *data.rglob("*")):
                shutil.chown(inside, account.uid, account.gid)
        await asyncio.to_thread(self._postgres.start)
        async with asyncio.timeout(120):
            while await self._fetch("SELECT pg_is_in_recovery()"):
                await asyncio.sleep(0.05)

    async def _set(self, name: str, value: str) -> None:
        await self._fetch(f"ALTER SYSTEM SET {name} = '{value}'")

    async def _fetch(self, query: str) -> str:
        conn = await asyncpg.connect(self._postgres.url)
        try:
            found: str = await conn.fetchval(query)
            return found
        finally:
            await conn.close()


def _kept(folder: Path) -> Path:
    """Return a folder for backups beside the server, in which its account may write."""
    return Account.current().folder(folder)


async def _run(name: str, *arguments: str | Path) -> None:
    """Run one of Postgres's programs under the account of the server."""
    await asyncio.to_thread(_ended, name, arguments)


def _ended(name: str, arguments: tuple[str | Path, ...]) -> None:
    program = programs.postgres(ROOT)
    done = subprocess.run(
        [program.bin / name, *arguments],
        env=program.environ(),
        cwd="/",
        capture_output=True,
        check=False,
        **Account.current().options,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr.decode(errors='replace')}")
