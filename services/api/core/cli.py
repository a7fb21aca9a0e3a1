"""Helpers of the commands: a database connection, and the output of times and tables."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import asyncpg
import click

from shared.db import database
from shared.process.settings import DatabaseSettings
from shared.text import escaped

# The id of a business as an option of commands.
BUSINESS = click.IntRange(0, 2**63 - 1)


def connection(
    settings: DatabaseSettings, *, name: str = "ledgerpost-api"
) -> AbstractAsyncContextManager[asyncpg.Connection]:
    """Return a context manager for a session in UTC, which Postgres shows under `name`.

    Raises MigrationError if a migration is missing.
    """
    return database.opened(settings.database_url, name=name)


def time(value: datetime | None) -> str:
    """Return a time in UTC to the second, or a dash for None."""
    return "-" if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table with aligned columns and escaped control characters."""
    kept = [tuple(map(escaped, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in kept
    ]
