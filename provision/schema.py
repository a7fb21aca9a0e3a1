"""Writes shared/db/schema.sql: the database after all migrations (`make contract`)."""

import asyncio
import sys
from pathlib import Path

import asyncpg

from provision import servers
from shared.db import sql
from shared.db.migrate import migrate, migrations

ROOT = Path(__file__).resolve().parents[1]
_QUERIES = sql.load("provision")
_HEAD = """\
-- The database after {last}, read from Postgres's catalogue by `make contract`.
-- To be read, not to be run: `migrate` makes a database. Rights stand in shared/db/grants.py.
"""


async def text(url: str) -> str:
    """Return the statements that create all that a database has, kind by kind."""
    connection = await asyncpg.connect(url, server_settings={"search_path": "public"})
    try:
        belonging = [*await connection.fetch(_QUERIES.indexes)]
        belonging += await connection.fetch(_QUERIES.triggers)
        parts = [_HEAD.format(last=list(migrations())[-1])]
        for kind in ("domains", "types", "tables", "views", "functions"):
            parts.append(f"-- {kind.capitalize()}\n")
            for name, statement in await connection.fetch(getattr(_QUERIES, kind)):
                of_table = [row["statement"] for row in belonging if row["name"] == name]
                parts.append("".join(map(_ended, [statement, *of_table])))
    finally:
        await connection.close()
    return "\n".join(parts)


def _ended(statement: str) -> str:
    """Return the statement without the schema's name, which an owner chooses, and with its end."""
    lines = [line.rstrip() for line in statement.replace("public.", "").strip().splitlines()]
    return "\n".join(lines).removesuffix(";") + ";\n"


def main(path: Path) -> None:
    """Write the schema of a new database, made on a server that ends afterwards."""
    server = servers.own_postgres(ROOT, "schema", durable=False)
    server.start()
    try:
        path.write_text(asyncio.run(_migrated(server.url)), "utf-8")
    finally:
        server.wipe()


async def _migrated(url: str) -> str:
    await migrate(url)
    return await text(url)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
