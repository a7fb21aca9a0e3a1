import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from provision import amqp, port_mapper, rabbitmq_node
from provision.account import Account
from provision.processes import Process, spawn
from provision.program import Program
from provision.rabbitmq_node import Member
from provision.record import Record

_PORTS = ("amqp", "distribution", "management")
_START_SECONDS = 90
_TRIES = 2  # another program may take a free port in the seconds before the node does


class RabbitMQ:
    """A private RabbitMQ node in a folder, with its own ports and port mapper (epmd).

    It listens on 127.0.0.1 only. Ports, password and data stay the same over restarts. With
    `management` it also offers RabbitMQ's HTTP API; each stop() then takes six more seconds. As
    a `member` of a cluster it uses the cluster's port mapper and password.
    """

    def __init__(
        self,
        folder: Path,
        program: Callable[[], Program],
        *,
        management: bool = False,
        member: Member | None = None,
    ) -> None:
        self.folder = folder
        self.log = folder / "rabbitmq.log"
        self._program = cache(program)
        self._management = management
        self._member = member
        self._record = folder / "record.json"
        self._account = Account.current()

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The process id of the node; None while it is down."""
        process = Process.load(self.folder / "node.process")
        return process.pid if process else None

    @property
    def port(self) -> int:
        """The AMQP port of the last start."""
        return self._recorded.ports["amqp"]

    @property
    def url(self) -> str:
        """The address of the vhost `/` for the node's administrator, password included."""
        return f"amqp://ledgerpost:{self._recorded.password}@127.0.0.1:{self.port}/"

    @property
    def management_url(self) -> str | None:
        """The address of the HTTP API, user and password included; None without `management`."""
        if not self._management:
            return None
        record = self._recorded
        return f"http://ledgerpost:{record.password}@127.0.0.1:{record.ports['management']}"

    def start(self) -> None:
        """Start it unless it runs, and return once it answers; create it if it has no data."""
        if self.pid and amqp.answers(self.port):
            return
        self.kill()
        for folder in (self.folder, *rabbitmq_node.folders(self.folder)):
            self._account.folder(folder)
        for _ in range(_TRIES):
            Record.settle(self._record, *_PORTS, *([] if self._member else ["epmd"]))
            if self._launch(self._recorded):
                return
            self.kill()
        raise RuntimeError(f"RabbitMQ did not start, see {self.log}")

    def stop(self) -> None:
        """Shut it down cleanly, with its port mapper."""
        if node := Process.load(self.folder / "node.process"):
            node.signal(signal.SIGTERM)
            node.wait(30)
        self.kill()

    def kill(self) -> None:
        """Kill it at once, as a crash would, and its port mapper."""
        # The node first: it would replace a missing port mapper.
        if node := Process.load(self.folder / "node.process"):
            node.signal(signal.SIGKILL)
            node.wait(10)
        port_mapper.kill(self.folder)

    def wipe(self) -> None:
        """Kill it and delete its data; the next start begins empty, on the same port if free."""
        self.kill()
        shutil.rmtree(rabbitmq_node.data(self.folder), ignore_errors=True)

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` on the node and return what it prints; about 1.5 s."""
        done = subprocess.run(
            [self._program().bin / "rabbitmqctl", "--quiet", *arguments],
            capture_output=True,
            text=True,
            env=self._environment(),
            cwd="/",
            check=False,
            **self._account.options,
        )
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    @property
    def _recorded(self) -> Record:
        record = Record.load(self._record)
        if record is None:
            raise RuntimeError("this RabbitMQ was never started")
        return self._member.share(record) if self._member else record

    def _environment(self) -> dict[str, str]:
        settings = rabbitmq_node.environment(self.folder, self._recorded, self._member)
        return self._program().environ(**settings)

    def _spawn(self, *command: str | Path) -> Process:
        return spawn(command, account=self._account, environment=self._environment(), log=self.log)

    def _launch(self, record: Record) -> bool:
        """Start the node on these ports, and return whether it answers."""
        rabbitmq_node.write(
            self.folder, record, self._account, management=self._management, member=self._member
        )
        if self._member is None:
            # A port mapper that RabbitMQ starts would outlive it.
            port_mapper.start(self.folder, record.ports["epmd"], self._program(), self._account)
        self._spawn(self._program().bin / "rabbitmq-server").save(self.folder / "node.process")
        return self._wait(record.ports["amqp"])

    def _wait(self, port: int) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while self.pid and time.monotonic() < deadline:
            if amqp.answers(port):
                return True
            time.sleep(0.1)
        return False
