import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from provision import ports


@dataclass(frozen=True)
class Record:
    """The data that a private server keeps across restarts: ports by name, and the password."""

    ports: dict[str, int]
    password: str

    @classmethod
    def load(cls, file: Path) -> Self | None:
        """Return the record, or None before the first start."""
        return cls(**json.loads(file.read_text())) if file.exists() else None

    @classmethod
    def settle(cls, file: Path, *names: str) -> Self:
        """Record the ports to start on: those of the last start if free, otherwise new ones."""
        known = cls.load(file)
        if known and all(map(ports.is_free, known.ports.values())):
            return known
        chosen = dict(zip(names, ports.free_ports(len(names)), strict=True))
        record = cls(chosen, known.password if known else secrets.token_urlsafe(18))
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            json.dump(asdict(record), opened)
        return record
