"""`import`: writes a directory of CSV files into the ledger, all or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import asyncpg

from services.api.ledger.faults import Faults, ImportRefused, quoted
from services.api.ledger.files import FILES, LedgerFile
from services.api.ledger.staging import (
    Staged,
    Written,
    changed_businesses,
    count_figures,
    find_repeated_keys,
    find_unknown,
    stage,
    write,
)
from shared.db import database
from shared.db.sql import load

_queries = load(__package__)

# Called with the current step and, while a file is read, the number of bytes read.
OnStep = Callable[[str, int], object]


@dataclass(frozen=True)
class Summary:
    """The result of an import: counts for each file in the order of writing, and warnings."""

    files: tuple[Written, ...]
    warnings: tuple[str, ...]


class _Undone(Exception):
    """Rolls back the transaction of a dry run."""


async def import_directory(
    dsn: str,
    directory: Path,
    on_step: OnStep = lambda *_: None,
    *,
    ignore_unknown: bool = False,
    dry_run: bool = False,
) -> Summary:
    """Import the ledger files of `directory` in one transaction, one import at a time.

    With `dry_run` the import is rolled back after counting. Raises ImportRefused, with the faults
    of the first bad rows, if anything is wrong, or if a CSV file has an unknown name (except with
    `ignore_unknown`). Raises MigrationError if a migration is missing. The ledger is then
    unchanged.
    """
    files, unknown = _ledger_files(directory)
    if unknown and not ignore_unknown:
        raise ImportRefused([_misnamed(name) for name in unknown])
    if not files:
        expected = ", ".join(file.name for file in FILES)
        raise ImportRefused([f"{directory}: contains none of {expected}"])
    settings = {
        # With statistics of another business, Postgres finds a merge join of the first columns
        # cheap, because no row seems to match, and then compares pair by pair. A hash join
        # uses all columns.
        "enable_mergejoin": "off",
        "work_mem": "64MB",
    }
    async with database.opened(dsn, name="ledgerpost-import", **settings) as connection:
        return await _import(connection, directory, files, on_step, dry_run=dry_run)


def _ledger_files(directory: Path) -> tuple[list[LedgerFile], tuple[str, ...]]:
    try:
        present = {entry.name for entry in directory.iterdir()}
    except OSError as error:
        raise ImportRefused([f"{directory}: cannot be read: {error.strerror}"]) from None
    files = [file for file in FILES if file.name in present]
    known = {file.name for file in FILES}
    strange = (name for name in present if name.lower().endswith(".csv") and name not in known)
    return files, tuple(sorted(strange))


def _misnamed(name: str) -> str:
    meant = get_close_matches(name.lower(), [file.name for file in FILES], n=1)
    known = ", ".join(file.name for file in FILES)
    hint = f"did you mean {meant[0]}?" if meant else f"its files are {known}"
    return f"{quoted(name)}: not a file of the ledger; {hint} (or --ignore-unknown)"


async def _import(
    connection: asyncpg.Connection,
    directory: Path,
    files: list[LedgerFile],
    on_step: OnStep,
    *,
    dry_run: bool,
) -> Summary:
    file = files[0]
    written: list[Written] = []
    warnings: list[str] = []
    try:
        async with connection.transaction():
            on_step("waiting for other imports", 0)
            await connection.execute(_queries.one_import_at_a_time)
            all_staged = await _stage_all(connection, directory, files, on_step)
            await connection.execute(_queries.begin_bulk_load)
            for staged in all_staged:
                file = staged.file
                on_step(f"writing {file.name}", 0)
                warnings += [*staged.warnings, *await changed_businesses(connection, staged)]
                written.append(await _prove_and_write(connection, staged))
            on_step("counting the figures", 0)
            await count_figures(connection, written)
            _undo(dry_run)
    except _Undone:
        pass
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        detail = f" ({error.detail})" if error.detail else ""
        raise ImportRefused([f"{file.name}: {error.message}{detail}"]) from None
    except asyncpg.TransactionRollbackError:
        raise ImportRefused(
            [f"{file.name}: another session was writing the same rows; run the import again"]
        ) from None

    return Summary(tuple(written), tuple(warnings))


def _undo(dry_run: bool) -> None:  # noqa: FBT001 - one caller, in sight
    if dry_run:
        raise _Undone


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
