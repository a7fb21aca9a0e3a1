"""Every named query fits the migrated database.

A misspelt column has the same effect as a missing migration: 503 until it is corrected.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
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
    "services.api.sends.open",
    "services.api.sends.scheduled",
    "services.api.sends.sending",
    "services.api.sends.with_message",
    "services.api.sends.says",
    "services.api.batches.most_recipients",
    "services.api.batches.counted_today",
    "services.api.batches.everywhere",
    "services.api.batches.of_business",
    "services.api.batches.of_schedule",
    "services.api.batches.of_status",
    "services.api.sends.one_batch",
    "services.api.sends.one_schedule",
    "services.api.schedules.by_id",
    "services.api.schedules.everyone",
    "services.api.schedules.newest",
    "services.api.ledger.changed_businesses",
    "services.api.statements.lines",
    "services.api.reports.longer_than_a_day",
    "services.api.reports.activity",
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


def uses(path: Path) -> Iterator[str]:
    """Yield each named query that a module takes by its name."""
    tree = ast.parse(path.read_text("utf-8"))
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    loaded: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            called, given = ast.unparse(node.value.func), node.value.args
            if called in {"sql.load", "load"} and isinstance(node.targets[0], ast.Name):
                own = ast.unparse(given[0]) == "__package__"
                package = module.rpartition(".")[0] if own else ast.literal_eval(given[0])
                file = ast.literal_eval(given[1]) if len(given) > 1 else "queries.sql"
                loaded[node.targets[0].id] = f"{package}/{file}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in loaded:
            yield f"{loaded[ast.unparse(node.value)]}: {node.attr}"


def test_each_query_is_run_by_one_module() -> None:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for part in FOLDERS:
        for path in (ROOT / part).rglob("*.py"):
            for query in uses(path):
                users[query].add(str(path.relative_to(ROOT)))
    assert len(users) > 100
    assert {query: sorted(of) for query, of in users.items() if len(of) > 1} == {}


def test_a_query_of_more_than_five_parameters_names_them() -> None:
    many = [
        f"{package}/{file}: {name}"
        for package, file in files()
        for name, text in sql.load(package, file)._texts.items()
        if re.search(r"\$([6-9]|[1-9][0-9])", COMMENT.sub("", text))
    ]
    assert many == []


async def test_every_query_fits_the_migrated_database(database: str) -> None:
    conn, misfits = await asyncpg.connect(database), []
    for name, text in queries().items():
        try:
            await conn.prepare(sql.numbered(text)[0])
        except asyncpg.PostgresError as error:
            misfits.append(f"{name}: {error}")
    await conn.close()
    assert not misfits
