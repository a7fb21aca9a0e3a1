"""Every named query fits the migrated database.

A misspelt column has the same effect as a missing migration: 503 until it is corrected.
"""

import re
from pathlib import Path

import asyncpg

from shared.db import sql

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "provision")
# What the program fills in, makes a part of another query, or asks of a table that it made itself:
# the tests of imports, reports and the history run these whole.
PLACE = re.compile(r"\{\w+\}")
NOT_WHOLE = {
    "services.api.sends.of_customer",
    "services.api.sends.scheduled",
    "services.api.sends.sending",
    "services.api.ledger.changed_businesses",
}
COMMENT = re.compile(r"^--.*$", re.MULTILINE)


def files() -> list[tuple[str, str]]:
    """The package and the name of each file with named queries."""
    found = (path for part in FOLDERS for path in (ROOT / part).rglob("*.sql"))
    return sorted(
        (".".join(path.parent.relative_to(ROOT).parts), path.name)
        for path in found
        if path.parent.name != "migrations" and path.name != "schema.sql"
    )


def queries() -> dict[str, str]:
    """The text of each whole query, under its package and name."""
    texts = {
        f"{package}.{'' if file == 'queries.sql' else Path(file).stem + '.'}{name}": text
        for package, file in files()
        for name, text in sql.load(package, file)._texts.items()
    }
    assert texts.keys() >= NOT_WHOLE
    return {
        name: text
        for name, text in texts.items()
        if name not in NOT_WHOLE and not PLACE.search(COMMENT.sub("", text))
    }


async def test_every_query_fits_the_migrated_database(database: str) -> None:
    conn, misfits = await asyncpg.connect(database), []
    for name, text in queries().items():
        try:
            await conn.prepare(text)
        except asyncpg.PostgresError as error:
            misfits.append(f"{name}: {error}")
    await conn.close()
    assert not misfits
