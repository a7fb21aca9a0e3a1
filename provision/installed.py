"""Servers that are installed on the machine, in Debian's folders or on PATH."""

import os
import shutil
from pathlib import Path

from provision.program import Program


def postgres(system: Path = Path("/")) -> Program | None:
    """Return the newest Postgres that can make a database of its own; None if there is none."""
    versions = system.glob("usr/lib/postgresql/*/bin")
    newest_first = sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)
    return first_with("initdb", [*newest_first, *_on_path("initdb")])


def rabbitmq(system: Path = Path("/")) -> Program | None:
    """Return RabbitMQ; None if there is none."""
    # Debian's wrappers on PATH would change to the system's account and data: its folder first.
    debian = system / "usr/lib/rabbitmq/bin"
    return first_with("rabbitmq-server", [debian, *_on_path("rabbitmq-server")])


def _on_path(name: str) -> list[Path]:
    found = shutil.which(name)
    return [Path(found).resolve().parent] if found else []


def first_with(name: str, folders: list[Path]) -> Program | None:
    """Return the program of the first folder that has it to run; None if none does."""
    return next((Program(path) for path in folders if os.access(path / name, os.X_OK)), None)
