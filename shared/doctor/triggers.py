"""Checks that each trigger of this version is in force, also on each partition of its table."""

import re
from functools import cache
from importlib.resources import files

import asyncpg

from shared.db import sql
from shared.doctor.finding import Said, failure, ok, skipped
from shared.doctor.rights import current_role

_QUERIES = sql.load("shared.doctor")
_TRIGGER = re.compile(r"^CREATE TRIGGER (\w+) .*? ON (\w+) (?:REFERENCING|FOR EACH)", re.MULTILINE)


async def check(conn: asyncpg.Connection) -> list[Said]:
    """Compare the triggers of the database with those of schema.sql."""
    ledger = (await current_role(conn))["ledger"]
    if ledger is None:
        return [skipped("there are no tables yet")]
    wanted = expected()
    findings, relations = [], 0
    for row in await conn.fetch(_QUERIES.triggers, ledger, list(wanted)):
        relations += 1
        off = sorted(wanted[row["ancestor"]] & set(row["switched_off"]))
        missing = sorted(wanted[row["ancestor"]] - {*row["in_force"], *off})
        findings += [*_off(row["relation"], off), *_missing(row, missing)]
    number = sum(map(len, wanted.values()))
    return findings or [ok(f"all {number} triggers are in force, on {relations} tables")]


@cache
def expected() -> dict[str, set[str]]:
    """Return the names of the triggers of each table, as this version has them."""
    text = files("shared.db").joinpath("schema.sql").read_text("utf-8")
    found: dict[str, set[str]] = {}
    for trigger, table in _TRIGGER.findall(text):
        found.setdefault(table, set()).add(trigger)
    return found


def _off(relation: str, triggers: list[str]) -> list[Said]:
    if not triggers:
        return []
    return [
        failure(
            f"switched off on {relation}: {', '.join(triggers)}",
            f"ALTER TABLE {relation} ENABLE TRIGGER USER, then run `ledgerpost-api verify`, and"
            " `ledgerpost-api rebuild` if it finds differences",
        )
    ]


def _missing(row: asyncpg.Record, triggers: list[str]) -> list[Said]:
    if not triggers:
        return []
    relation = row["relation"]
    if row["is_partition"]:
        advice = (
            f"create the triggers of {row['ancestor']} on {relation} too: without them, figures"
            " miss what is written to the partition directly"
        )
    else:
        advice = "create it as in shared/db/schema.sql, or restore a whole dump"
    return [
        failure(
            f"missing on {relation}: {', '.join(triggers)}",
            f"{advice}; then run `ledgerpost-api verify`",
        )
    ]
