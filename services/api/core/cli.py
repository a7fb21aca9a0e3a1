"""Helpers of the commands: a database connection, and the output of times and tables."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import click

from shared.db import database, sql
from shared.db.databases import Database
from shared.process.settings import DatabaseSettings
from shared.text import escaped

_QUERIES = sql.load("services.api.core")

# The id of a business as an option of commands.
BUSINESS = click.IntRange(0, 2**63 - 1)


@asynccontextmanager
async def connection(
    settings: DatabaseSettings, *, business: int | None = None, name: str = "ledgerpost-api"
) -> AsyncIterator[asyncpg.Connection]:
    """Yield a session in UTC, which Postgres shows under `name`.

    With several databases it is one with the database that has the `business`. Raises
    MigrationError if a migration is missing, SettingsError if the database is to be chosen, and
    ClickException if no database has the business, or more than one.
    """
    several = len(settings.databases) > 1 and business is not None
    chosen = await _holder(settings, business) if several else settings.database
    async with database.opened(chosen.url, name=name) as conn:
        yield conn


async def has_business(conn: asyncpg.Connection, business: int | None) -> bool:
    """Return whether a database has a business."""
    found: bool = await conn.fetchval(_QUERIES.has_business, business)
    return found


async def _holder(settings: DatabaseSettings, business: int | None) -> Database:
    holders = []
    for each in settings.databases:
        async with database.opened(each.url, name="ledgerpost-api") as conn:
            if await has_business(conn, business):
                holders.append(each)
    if not holders:
        raise click.ClickException(f"there is no business {business}")
    if len(holders) > 1:
        names = " and ".join(each.name for each in holders)
        raise click.ClickException(f"business {business} is in {names}: choose one by --database")
    return holders[0]


def time(value: datetime | None) -> str:
    """Return a time in UTC to the second, or a dash for None."""
    return "-" if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def show_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], none: str) -> None:
    """Print a table, or the words `none` if it has no rows."""
    for line in table([heads, *rows]) if rows else [none]:
        click.echo(line)


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table with aligned columns and escaped control characters."""
    kept = [tuple(map(escaped, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in kept
    ]
