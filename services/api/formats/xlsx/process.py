"""Has a report written as a workbook, by a process of its own into a file without a name."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, BinaryIO, Final, cast

import orjson

from services.api.core.refusals import Invalid
from services.api.formats.json_value import dumps
from services.api.formats.negotiation import PARAMETER
from services.api.formats.report import Kind, Report
from services.api.formats.xlsx.plan import FRACTION, WRITTEN, Plan
from shared.rendering.process import environment
from shared.statements.money import decimals

ROWS_MAX: Final = 1_048_575  # of a sheet, below its header

_SHEET_CHARS_MAX: Final = 31
_EXIT_S: Final = 10.0
_MODULE: Final = "services.api.formats.xlsx"


class WorkbookError(RuntimeError):
    """The process that writes a workbook failed."""


async def workbook(report: Report) -> BinaryIO:
    """Return a file with the workbook of a report; it disappears when it is closed.

    Raises Invalid if a sheet cannot hold so many rows, and WorkbookError.
    """
    # The second time only if a currency without decimals has an amount with some, which is rare.
    for has_fractions in (False, True):
        file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 -- the answer closes it
        try:
            if await _written(report, file.fileno(), has_fractions=has_fractions):
                return file
        except BaseException:
            file.close()
            raise
        file.close()
    raise WorkbookError("it asked for fractions twice")


async def _written(report: Report, file: int, *, has_fractions: bool) -> bool:
    """Return whether the workbook is written; otherwise its amounts have fractions."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", _MODULE, f"/dev/fd/{file}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Its words may hold a part of the ledger.
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=(file,),
        env=environment(),
    )
    whole = False
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # its answer says why
            pipe = cast("asyncio.StreamWriter", process.stdin)
            await _fed(pipe, report, has_fractions=has_fractions)
        answer = await cast("asyncio.StreamReader", process.stdout).read()
        whole = True
    finally:
        await _ended(process, at_once=not whole)
    word = answer.decode().strip()
    if word not in {WRITTEN, FRACTION}:
        raise WorkbookError(f"the process ended with status {process.returncode}")
    return word == WRITTEN


async def _fed(pipe: asyncio.StreamWriter, report: Report, *, has_fractions: bool) -> None:
    pipe.write(_line(_plan(report, has_fractions=has_fractions)._asdict()))
    rows = 0
    async for batch in report.rows():
        rows += len(batch)
        if rows > ROWS_MAX:
            raise Invalid(PARAMETER, f"a sheet holds at most {ROWS_MAX} rows; take csv or ndjson")
        if batch:
            pipe.write(_line(batch))
            await pipe.drain()
    pipe.write(_line(None))
    await pipe.drain()
    pipe.close()


async def _ended(process: asyncio.subprocess.Process, *, at_once: bool) -> None:
    """Wait until the process has ended; kill it `at_once`, or if it does not end by itself."""
    pipe = cast("asyncio.StreamWriter", process.stdin).transport
    if not pipe.is_closing():
        pipe.abort()
    if at_once and process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    try:
        async with asyncio.timeout(_EXIT_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()


def _line(value: object) -> bytes:
    # A sheet has floats: the digits of an amount come back if they are 15 at most.
    return orjson.dumps(value, default=_float) + b"\n"


def _float(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


def _plan(report: Report, *, has_fractions: bool) -> Plan:
    kinds = {column.name: column.kind for column in report.columns}
    return Plan(
        sheet=report.kind.replace("-", " ").capitalize()[:_SHEET_CHARS_MAX],
        columns=[(column.name, column.kind.value) for column in report.columns],
        decimals=decimals(report.business.currency),
        has_fractions=has_fractions,
        totals=[
            (name, kinds.get(name, Kind.COUNT).value, value)
            for name, value in report.totals.items()
        ],
        about=[
            ("report", report.title),
            ("business", report.business.name),
            *_described(report.meta),
        ],
    )


def _described(meta: Mapping[str, object], above: str = "") -> Sequence[tuple[str, str]]:
    """Return each field of the description, with the names of the objects that it stands in."""
    found: list[tuple[str, str]] = []
    for name, value in meta.items():
        if isinstance(value, Mapping):
            found += _described(value, f"{above}{name}.")
        else:
            found.append((f"{above}{name}", _said(value)))
    return found


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ", ".join(map(_said, value))
    return dumps(value).decode()
