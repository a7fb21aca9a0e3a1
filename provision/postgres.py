import shutil
import signal
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from provision.account import Account
from provision.processes import Process
from provision.program import Program
from provision.record import Record

_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
"""

# For tests. Commits survive kill -9 of the server, but not a power cut. No statement is compiled:
# that would take longer than to run it. The log stays small, because it may lie in memory.
_FORGETFUL = "fsync = off\nfull_page_writes = off\njit = off\nmax_wal_size = 256MB\n"


class Postgres:
    """A private Postgres in a folder, on its own port of 127.0.0.1.

    Port, password and data stay the same over restarts. With `durable` it flushes its log, the
    default of Postgres.
    """

    def __init__(
        self, folder: Path, program: Callable[[], Program], *, durable: bool = True
    ) -> None:
        self.folder = folder
        self.log = folder / "postgres.log"
        self._program = cache(program)
        self._durable = durable
        self._data = folder / "data"
        self._record = folder / "record.json"
        self._account = Account.current()

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster; None while it is down."""
        process = self._process
        return process.pid if process else None

    @property
    def port(self) -> int:
        """The port of the last start."""
        return self._recorded.ports["postgres"]

    @property
    def url(self) -> str:
        """The address of the database `ledgerpost` for its superuser, password included."""
        return f"postgresql://ledgerpost:{self._recorded.password}@127.0.0.1:{self.port}/ledgerpost"

    def start(self) -> None:
        """Start it unless it runs, and return once it answers; initialise it if it has no data."""
        if self._process:
            return
        self._account.folder(self.folder)
        record = Record.settle(self._record, "postgres")
        if not (self._data / "PG_VERSION").exists():
            self._initialise(record.password)
        # Its process id may belong to another program by now, and Postgres would not start.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        options = f"-p {record.ports['postgres']}"
        self._run("pg_ctl", "start", "-D", self._data, "-wst60", "-o", options, "-l", self.log)

    def follow(self, primary: "Postgres") -> str:
        """Start it as a streaming replica of `primary`, which runs; return the URL of the database.

        Its data is a new copy, with the primary's roles and passwords.
        """
        self.wipe()
        self._account.folder(self.folder)
        self._run(
            "pg_basebackup", "-d", primary.url, "-D", self._data, "-R", "-X", "stream",
            "--checkpoint=fast", "--no-sync",
        )  # fmt: skip
        self.start()
        return primary.url.replace(f":{primary.port}/", f":{self.port}/")

    def stop(self) -> None:
        """Shut it down cleanly, and end its clients' sessions."""
        if process := self._process:
            process.signal(signal.SIGINT)
            if not process.wait(30):
                self.kill()

    def kill(self) -> None:
        """Kill it and its backends at once, as a crash would."""
        if process := self._process:
            family = [process, *process.children()]
            for member in family:
                member.signal(signal.SIGKILL)
            for member in family:
                member.wait(10)

    def wipe(self) -> None:
        """Kill it and delete its data; the next start begins empty, on the same port if free."""
        self.kill()
        shutil.rmtree(self._data, ignore_errors=True)

    @property
    def _process(self) -> Process | None:
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        process = Process.of(pid)
        return process if process and process.mentions(self._data) else None

    @property
    def _recorded(self) -> Record:
        record = Record.load(self._record)
        if record is None:
            raise RuntimeError("this Postgres was never started")
        return record

    def _initialise(self, password: str) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # a leftover of an interrupted initdb
        secret = self._account.file(self.folder / "password", password)
        self._run(
            "initdb", "--username=ledgerpost", f"--pwfile={secret}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip
        secret.unlink()
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS if self._durable else _SETTINGS + _FORGETFUL)
        self._run("postgres", "--single", "postgres", given="CREATE DATABASE ledgerpost\n")

    def _run(self, name: str, *arguments: str | Path, given: str = "") -> None:
        """Run one of Postgres's programs on the data folder, with its output in the log."""
        with self._account.open_log(self.log) as log:
            done = subprocess.run(
                [self._program().bin / name, *arguments],
                input=given.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._program().environ(PGDATA=str(self._data)),
                cwd="/",
                check=False,
                **self._account.options,
            )
        if done.returncode:
            raise RuntimeError(f"{name} failed, see {self.log}")
