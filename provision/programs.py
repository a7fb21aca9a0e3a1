"""Where the executables come from: the machine, its package manager, or unpacked packages."""

from pathlib import Path

from provision import installed
from provision.program import Program, Unavailable


def postgres(root: Path) -> Program:
    """Return Postgres, installed now if need be; raise Unavailable with advice if impossible."""
    del root
    if program := installed.postgres():
        return program
    raise Unavailable("no Postgres")


def rabbitmq(root: Path) -> Program:
    """Return RabbitMQ, installed now if need be; raise Unavailable with advice if impossible."""
    del root
    if program := installed.rabbitmq():
        return program
    raise Unavailable("no RabbitMQ")
