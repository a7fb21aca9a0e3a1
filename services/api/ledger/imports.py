"""`import`: a directory of CSV files into the ledger, all of it or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg

from services.api.ledger.faults import Faults, ImportRefused
from services.api.ledger.files import FILES, LedgerFile
from services.api.ledger.staging import (
    Staged,
    Written,
    find_repeated_keys,
    find_unknown,
    stage,
    write,
)
from shared.migrate import assert_up_to_date
from shared.sql import load

_queries = load(__package__)

# Called with what is being done and, while a file is read, how many bytes of it are.
OnStep = Callable[[str, int], object]


@dataclass(frozen=True)
class Summary:
    """What became of the rows, by file in the order of writing; `ignored` names unknown CSVs."""

    files: tuple[Written, ...]
    ignored: tuple[str, ...]


async def import_directory(dsn: str, directory: Path, on_step: OnStep = lambda *_: None) -> Summary:
    """Import the ledger files of `directory` in one transaction, one import at a time.

    Raises ImportRefused, with the faults of the first bad rows, when anything is wrong, and
    MigrationError if a migration is missing; the ledger is then what it was.
    """
    files, ignored = _ledger_files(directory)
    connection = await asyncpg.connect(
        dsn,
        server_settings={
            "application_name": "ledgerpost-import",
            "timezone": "UTC",
            "jit": "off",
            "work_mem": "64MB",
        },
    )
    try:
        written = await _import(connection, directory, files, on_step)
    finally:
        await connection.close()
    return Summary(tuple(written), ignored)


def _ledger_files(directory: Path) -> tuple[list[LedgerFile], tuple[str, ...]]:
    try:
        present = {entry.name for entry in directory.iterdir()}
    except OSError as error:
        raise ImportRefused([f"{directory}: cannot be read: {error.strerror}"]) from None
    files = [file for file in FILES if file.name in present]
    if not files:
        expected = ", ".join(file.name for file in FILES)
        raise ImportRefused([f"{directory}: holds none of {expected}"])
    known = {file.name for file in FILES}
    strange = (name for name in present if name.lower().endswith(".csv") and name not in known)
    return files, tuple(sorted(strange))


async def _import(
    connection: asyncpg.Connection, directory: Path, files: list[LedgerFile], on_step: OnStep
) -> list[Written]:
    await assert_up_to_date(connection)
    file = files[0]
    try:
        async with connection.transaction():
            on_step("waiting for other imports", 0)
            await connection.execute(_queries.one_import_at_a_time)
            all_staged = await _stage_all(connection, directory, files, on_step)
            written = []
            for staged in all_staged:
                file = staged.file
                on_step(f"writing {file.name}", 0)
                written.append(await _prove_and_write(connection, staged))
            return written
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        detail = f" ({error.detail})" if error.detail else ""
        raise ImportRefused([f"{file.name}: {error.message}{detail}"]) from None
    except asyncpg.TransactionRollbackError:
        raise ImportRefused(
            [f"{file.name}: somebody else was writing the same rows; run the import again"]
        ) from None


async def _stage_all(
    connection: asyncpg.Connection, directory: Path, files: list[LedgerFile], on_step: OnStep
) -> list[Staged]:
    faults = Faults()
    all_staged: list[Staged] = []
    for file in files:
        staged = await stage(
            connection,
            file,
            directory / file.name,
            faults,
            partial(on_step, f"reading {file.name}"),
        )
        if faults.full:
            break
        if staged:
            all_staged.append(staged)
    faults.refuse_if_any()
    for staged in all_staged:
        await find_repeated_keys(connection, staged, faults)
    faults.refuse_if_any()
    return all_staged


async def _prove_and_write(connection: asyncpg.Connection, staged: Staged) -> Written:
    faults = Faults()
    await find_unknown(connection, staged, faults)
    faults.refuse_if_any()
    return await write(connection, staged)
