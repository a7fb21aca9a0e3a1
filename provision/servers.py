import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from provision import docker, images, programs
from provision.docker import Container
from provision.place import locked, place, remove
from provision.postgres import Postgres
from provision.program import Unavailable
from provision.rabbitmq import RabbitMQ
from provision.rabbitmq_cluster import Cluster

# Their data is deleted when they stop, so they may skip fsync and stop immediately.
_THROWAWAY = {"test"}

_USAGE = "usage: python -m provision.servers (start|stop|status NAME)|clean"


class _Server(Protocol):
    @property
    def running(self) -> bool: ...
    def start(self) -> None: ...


_Private = TypeVar("_Private", bound=_Server)


@dataclass(frozen=True)
class Servers:
    """A running database and broker; the user in each URL has all rights."""

    root: Path
    name: str
    database_url: str
    amqp_url: str
    management_url: str | None
    """RabbitMQ's HTTP API with user and password; None where the broker does not offer it."""

    def stop(self) -> None:
        """Stop the servers of this name; servers from the environment stay."""
        stop(self.root, self.name)


def start(root: Path, name: str, environ: Mapping[str, str] = os.environ) -> Servers:
    """Return the servers of this name, and start them unless they run. Raises Unavailable."""
    with locked(_place(root, name)), ThreadPoolExecutor() as pool:
        database = pool.submit(_database, root, name, environ)
        broker = pool.submit(_broker, root, name, environ)
        return Servers(root, name, database.result(), *broker.result())


def stop(root: Path, name: str) -> None:
    """Stop the servers of this name; the data of temporary servers is deleted."""
    with locked(_place(root, name)):
        for server in (*_databases(root, name), *_brokers(root, name)):
            if name in _THROWAWAY:
                server.wipe()
            else:
                server.stop()


def running(root: Path, name: str) -> list[str]:
    """Return the URLs of the servers of this name that run now."""
    servers = (*_databases(root, name), *_brokers(root, name))
    return [server.url for server in servers if server.running]


def own_postgres(root: Path, name: str, *, durable: bool = True) -> Postgres:
    """Return a private database server, not started, which the caller may kill and wipe."""
    folder = place(root, name, lasting=durable) / "postgres"
    return Postgres(folder, lambda: programs.postgres(root), durable=durable)


def own_rabbitmq(
    root: Path, name: str, *, management: bool = False, other: str | None = None
) -> RabbitMQ:
    """Return a private broker, not started, which the caller may kill and wipe.

    `other` is the folder of another RabbitMQ's programs, or a Debian suite.
    """
    folder = place(root, name) / "rabbitmq"
    return RabbitMQ(folder, lambda: programs.rabbitmq(root, other), management=management)


def own_cluster(root: Path, name: str, *, other: str | None = None) -> Cluster:
    """Return a private cluster of three brokers, not started; `other` as in own_rabbitmq()."""
    folder = place(root, name) / "cluster"
    return Cluster(folder, lambda: programs.rabbitmq(root, other))


def _place(root: Path, name: str) -> Path:
    return place(root, name, lasting=name not in _THROWAWAY)


def _databases(root: Path, name: str) -> tuple[Postgres, Container]:
    durable = name not in _THROWAWAY
    private = own_postgres(root, name, durable=durable)
    return private, Container(root, name, images.postgres(durable=durable))


def _brokers(root: Path, name: str) -> tuple[RabbitMQ, Container]:
    private = own_rabbitmq(root, name, management=name in _THROWAWAY)
    return private, Container(root, name, images.rabbitmq())


def _database(root: Path, name: str, environ: Mapping[str, str]) -> str:
    return environ.get("DATABASE_URL") or _start(*_databases(root, name)).url


def _broker(root: Path, name: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    if given := environ.get("AMQP_URL"):
        return given, environ.get("RABBITMQ_MANAGEMENT_URL")
    broker = _start(*_brokers(root, name))
    return broker.url, broker.management_url


def _start(private: _Private, container: Container) -> _Private | Container:
    """Return the running server, or a container if Docker has the image, or a private one."""
    if container.running or (not private.running and docker.engine_runs()):
        try:
            container.start()
        except Unavailable as problem:
            print(f"{problem}; trying without Docker", file=sys.stderr)
        else:
            return container
    private.start()
    return private


def clean(root: Path) -> None:
    """Stop every server of this checkout and delete their data and their programs."""
    for folder in sorted((root / "var").glob("*")):
        if folder.is_dir():
            stop(root, folder.name)
            for server in (*_databases(root, folder.name), *_brokers(root, folder.name)):
                server.wipe()
            remove(root, folder.name)


def main(arguments: list[str]) -> int:
    """Start, stop or show the servers of one name, and return the exit status."""
    match arguments:
        case ["start", name]:
            servers = start(Path.cwd(), name)
            print(f"DATABASE_URL={servers.database_url}\nAMQP_URL={servers.amqp_url}")
            return 0
        case ["stop", name]:
            stop(Path.cwd(), name)
            return 0
        case ["status", name]:
            found = running(Path.cwd(), name)
            print("\n".join(found) or "nothing runs")
            return 0 if found else 3
        case ["clean"]:
            clean(Path.cwd())
            return 0
        case _:
            print(_USAGE, file=sys.stderr)
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as advice:
        sys.exit(str(advice))
