"""Finds the executables: installed, from the package manager, or from unpacked packages."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from provision import apt, installed, suites, unpacked
from provision.place import locked, place
from provision.program import Program, Unavailable


def postgres(root: Path) -> Program:
    """Return Postgres, and install it if needed. Raises Unavailable with advice."""
    return _obtain(root, "postgresql", lambda: installed.postgres() or unpacked.postgres(root))


def rabbitmq(root: Path, other: str | None = None) -> Program:
    """Return RabbitMQ, and install it if needed. Raises Unavailable with advice.

    `other` is the folder of another RabbitMQ's programs, or a Debian suite.
    """
    if other:
        return suites.rabbitmq(root, other)
    return _obtain(root, "rabbitmq-server", lambda: installed.rabbitmq() or unpacked.rabbitmq(root))


def _obtain(root: Path, package: str, find: Callable[[], Program | None]) -> Program:
    if program := find():
        return program
    reasons: list[str] = []
    with locked(place(root, "programs")):
        for get in (partial(apt.install, package), partial(unpacked.fetch, root)):
            try:
                get()
            except Unavailable as reason:
                reasons.append(str(reason))
            if program := find():
                return program
    raise Unavailable(
        f"No {package} ({'; '.join(reasons)}): install Debian's packages postgresql and "
        "rabbitmq-server, start Docker, or set DATABASE_URL and AMQP_URL"
    )
