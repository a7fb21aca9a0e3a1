import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from provision import port_mapper
from provision.account import Account
from provision.program import Program
from provision.rabbitmq import RabbitMQ
from provision.rabbitmq_node import Member
from provision.record import Record

_HEADSTART = 5  # seconds


class Cluster:
    """Private RabbitMQ nodes on 127.0.0.1 that replicate quorum queues, with one port mapper.

    Each of them may be killed and started again.
    """

    def __init__(self, folder: Path, program: Callable[[], Program], *, size: int = 3) -> None:
        self._folder = folder
        self._program = cache(program)
        self._names = tuple(f"ledgerpost-{number}@localhost" for number in range(1, size + 1))
        self._account = Account.current()
        self.nodes: dict[str, RabbitMQ] = {}
        """The nodes by name, from the first start() on."""

    @property
    def url(self) -> str:
        """The URL with all nodes, including the password."""
        first, *_ = parts = [urlsplit(node.url) for node in self.nodes.values()]
        user = first.netloc.rpartition("@")[0]
        hosts = ",".join(f"{part.hostname}:{part.port}" for part in parts)
        return first._replace(netloc=f"{user}@{hosts}").geturl()

    def start(self) -> None:
        """Start all nodes, empty, and return once they know each other."""
        self.wipe()
        self._account.folder(self._folder)
        record = Record.settle(self._folder / "record.json", "epmd")
        port_mapper.start(self._folder, record.ports["epmd"], self._program(), self._account)
        for name in self._names:
            member = Member(name, self._names, record.ports["epmd"], record.password)
            folder = self._folder / name.partition("@")[0]
            self.nodes[name] = RabbitMQ(folder, self._program, member=member)
        first, *others = self.nodes.values()
        try:
            with ThreadPoolExecutor() as pool:
                starting = [pool.submit(first.start)]
                # RabbitMQ 4 waits for the others; of empty nodes that start at the very same time,
                # 3.10 may make more than one cluster.
                wait(starting, _HEADSTART)
                starting += [pool.submit(node.start) for node in others]
            for started in starting:
                started.result()
            first.control("await_online_nodes", str(len(self.nodes)), "--timeout", "60")
        except RuntimeError:
            self.kill()
            raise

    def kill(self) -> None:
        """Kill all nodes at once, as a power cut would."""
        for node in self._left():
            node.kill()
        port_mapper.kill(self._folder)

    def wipe(self) -> None:
        """Kill all nodes and delete their data."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _left(self) -> list[RabbitMQ]:
        """Return the nodes of an earlier start."""
        return [RabbitMQ(folder, self._program) for folder in self._folder.glob("ledgerpost-*")]
