"""The support bundle: facts about an installation, in one file, for people outside of it."""

import asyncio
import http.client
import io
import json
import os
import tarfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.amqp import broker
from shared.db import postgres
from shared.db.databases import Database
from shared.doctor.masking import Masking
from shared.doctor.report import Report
from shared.process.settings import Settings
from shared.support import database, facts, metrics, queues

_FOLDER: Final = "ledgerpost-support"
_OCTETS_MAX: Final = 1024 * 1024  # of each file
_PART_S: Final = 60.0
_ERRORS: Final[tuple[type[Exception], ...]] = (
    *postgres.UNAVAILABLE,
    *broker.UNAVAILABLE,
    http.client.HTTPException,
)
_README: Final = """\
Made by `support-bundle` of Ledgerpost, to be read by people outside of the installation.

It has: versions, settings (numbers and words; of secrets and addresses only whether they are set),
the findings of doctor, migrations, sizes of tables, depths of queues, outcomes of the mails of a
week by state and reason code, those of batches and schedules, settings of Postgres, the metrics of
the process, facts of the machine. Names of hosts and of roles of the database are in it. Numbers
have two digits that are not zero: 123,456 becomes 120,000.

It has no name, address or amount of a customer, no text of a mail or an error, no key and no
password.
"""


class NotWritten(Exception):
    """The file cannot be written; the message is one line with the reason."""


@dataclass(frozen=True)
class Place:
    """Where a running process shows its metrics."""

    host: str
    port: int


@dataclass(frozen=True)
class Sources:
    """What a bundle is made of."""

    settings: Sequence[Settings]
    databases: Sequence[Database]
    amqp_url: str | None
    metrics: Place | None


def write(path: Path, make: Callable[[], Mapping[str, str]]) -> None:
    """Write what `make` returns, texts by name, to a new file that only its owner can read.

    Raises NotWritten, also if there is such a file; nothing is made then.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise NotWritten(f"--out {path}: {error.strerror}") from None
    try:
        with os.fdopen(file, "wb") as out:
            contents = make()
            _pack(out, contents)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise NotWritten(f"--out {path}: {error.strerror}") from None
        raise


async def contents(sources: Sources, checked: Awaitable[Report]) -> dict[str, str]:
    """Return the texts of all files by name, without secrets and addresses."""
    report = await checked
    masking = Masking(*sources.settings)
    of_queues, of_process, *of_databases = await asyncio.gather(
        _or_error(queues.described(sources.amqp_url)) if sources.amqp_url else _nothing(),
        _or_error(_metrics(sources.metrics)),
        *(_or_error(database.described(each.url)) for each in sources.databases),
    )
    found: dict[str, Any] = {
        "doctor": report.model_dump(mode="json"),
        "versions": facts.versions(),
        "machine": facts.machine(),
        "settings": facts.settings(sources.settings),
        "rabbitmq": of_queues,
    }
    for each, described in zip(sources.databases, of_databases, strict=True):
        parts = {"database": described} if "error" in described else described
        found |= {each.label(name): part for name, part in parts.items()}
    texts = {"README.txt": _README}
    for name, value in found.items():
        texts[f"{name}.json"] = json.dumps(_masked(value, masking), indent=1) + "\n"
    if isinstance(of_process, str):
        texts["metrics.txt"] = of_process
    else:
        texts["metrics.json"] = json.dumps(of_process) + "\n"
    return texts


async def _or_error(work: Awaitable[Any]) -> Any:
    """Return the result, or the kind of the error: its text may name people."""
    try:
        async with asyncio.timeout(_PART_S):
            return await work
    except _ERRORS as error:
        return {"error": type(error).__name__}


async def _metrics(place: Place | None) -> str | None:
    if place is None:
        return None
    return await asyncio.to_thread(metrics.snapshot, place.host, place.port)


async def _nothing() -> None:
    """Return that there is nothing to describe."""


def _masked(value: Any, masking: Masking) -> Any:
    if isinstance(value, str):
        return masking(value)
    if isinstance(value, Mapping):
        return {masking(str(name)): _masked(each, masking) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each, masking) for each in value]
    return value


def _pack(out: io.BufferedWriter, contents: Mapping[str, str]) -> None:
    now = int(time.time())
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in contents.items():
            data = text.encode()[:_OCTETS_MAX]
            about = tarfile.TarInfo(f"{_FOLDER}/{name}")
            about.size, about.mode, about.mtime = len(data), 0o600, now
            archive.addfile(about, io.BytesIO(data))
