"""Finds servers that are installed in Debian's folders or on PATH."""

import os
import shutil
from pathlib import Path

from provision.program import Program


def postgres(system: Path = Path("/")) -> Program | None:
    """Return the newest Postgres with initdb, or None."""
    versions = system.glob("usr/lib/postgresql/*/bin")
    newest_first = sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)
    return first_with("initdb", [*newest_first, *_on_path("initdb")])


def rabbitmq(system: Path = Path("/")) -> Program | None:
    """Return RabbitMQ, or None."""
    # Debian's folder first: its wrappers on PATH would use the system's account and data.
    debian = system / "usr/lib/rabbitmq/bin"
    return first_with("rabbitmq-server", [debian, *_on_path("rabbitmq-server")])


def _on_path(name: str) -> list[Path]:
    found = shutil.which(name)
    return [Path(found).resolve().parent] if found else []


def first_with(name: str, folders: list[Path]) -> Program | None:
    """Return the program in the first folder that has it, or None."""
    return next((Program(path) for path in folders if os.access(path / name, os.X_OK)), None)
