"""What a support bundle says of the database: tables, migrations, settings, outcomes of mails."""

from datetime import date, datetime
from typing import Any

import asyncpg

from shared.db import migrate, postgres, sql
from shared.deliveries.reasons import ReasonCode

_QUERIES = sql.load("shared.support")
_CODES = {str(code) for code in ReasonCode}
_ERRORS: tuple[type[Exception], ...] = (*postgres.UNAVAILABLE, asyncpg.PostgresError)
_DIGITS = 2
_MEGABYTE = 2**20


async def described(dsn: str) -> dict[str, Any]:
    """Return the contents of the files about the database.

    Instead of a part that cannot be read there is the kind of the error. Raises one of
    postgres.UNAVAILABLE.
    """
    conn = await postgres.connect(
        dsn,
        name="ledgerpost-support",
        command_timeout=15,
        settings={"statement_timeout": "10s", "lock_timeout": "3s"},
    )
    parts = {
        "migrations": _migrations,
        "tables": _tables,
        "postgres": _server,
        "outcomes": _outcomes,
        "batches": _batches,
        "schedules": _schedules,
    }
    found: dict[str, Any] = {}
    try:
        for name, part in parts.items():
            try:
                found[name] = await part(conn)
            except _ERRORS as error:
                found[name] = {"error": type(error).__name__}
    finally:
        conn.terminate()
    return found


def rounded(number: int) -> int:
    """Return a number with two digits that are not zero: how large a business is stays its own."""
    unit = int(10 ** max(len(str(number)) - _DIGITS, 0))
    return number // unit * unit


async def _migrations(conn: asyncpg.Connection) -> dict[str, Any]:
    history = await migrate.history(conn)
    applied = {
        row["name"]: row["applied_at"].isoformat(timespec="seconds")
        for row in await conn.fetch(_QUERIES.applied)
    }
    differing = {"pending": history.pending, "unknown": history.unknown, "changed": history.changed}
    return {"applied": applied, **differing}


async def _tables(conn: asyncpg.Connection) -> dict[str, Any]:
    return {
        row["name"]: {"megabytes": row["octets"] // _MEGABYTE, "rows": rounded(row["rows"])}
        for row in await conn.fetch(_QUERIES.tables)
    }


async def _server(conn: asyncpg.Connection) -> dict[str, Any]:
    return {
        row["name"]: f"{row['setting']} {row['unit'] or ''}".rstrip()
        for row in await conn.fetch(_QUERIES.server)
    }


async def _outcomes(conn: asyncpg.Connection) -> list[dict[str, Any]]:
    """Return how many mails of a week are in each state, for each reason code."""
    return [_counted(row) for row in await conn.fetch(_QUERIES.states)]


async def _batches(conn: asyncpg.Connection) -> dict[str, Any]:
    """Return how many batches of a week are in each phase, and why customers were skipped."""
    return {
        "batches": [_counted(row) for row in await conn.fetch(_QUERIES.batches)],
        "skipped": [_counted(row) for row in await conn.fetch(_QUERIES.skipped_customers)],
    }


async def _schedules(conn: asyncpg.Connection) -> dict[str, Any]:
    """Return how many schedules cannot make their batch, and the outcomes of a week."""
    return {
        "schedules": [_counted(row) for row in await conn.fetch(_QUERIES.schedules)],
        "occurrences": [_counted(row) for row in await conn.fetch(_QUERIES.occurrences)],
    }


def _counted(row: asyncpg.Record) -> dict[str, Any]:
    """Return a row as JSON can hold it: numbers rounded, codes known, times in seconds."""
    return {name: _shown(name, value) for name, value in row.items()}


def _shown(name: str, value: Any) -> Any:
    if name == "reason_code":
        return _known(value)
    if isinstance(value, int):
        return rounded(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


def _known(code: str | None) -> str | None:
    return code if code is None or code in _CODES else "unknown"
