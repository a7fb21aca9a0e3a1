"""Checks what the role of the database may do: enough for its process, and not more."""

from dataclasses import dataclass

import asyncpg

from shared.db import rights, sql
from shared.db.grants import GRANTS
from shared.doctor.finding import Said, failure, ok, skipped, warning

_QUERIES = sql.load("shared.doctor")
_SHOWN_MAX = 10
_ROLES = "see Roles of the database in docs/postgres.md"


@dataclass(frozen=True)
class Needed:
    """The groups whose rights a role needs; without groups it needs those of the owner."""

    groups: tuple[str, ...]


async def check(conn: asyncpg.Connection, needed: Needed) -> list[Said]:
    """Check the rights of the current role, and those of all groups."""
    role = await current_role(conn)
    if role["ledger"] is None:
        return [skipped(f"{role['name']}: there are no tables yet")]
    findings = [*_beyond(role, needed), *await _missing(conn, role, needed)]
    findings += await _groups(conn)
    return findings or [ok(f"{role['name']} may do what its process does, and not more")]


async def current_role(conn: asyncpg.Connection) -> asyncpg.Record:
    """Return the current role, and the schema of the ledger: None before the first migration."""
    [role] = await conn.fetch(_QUERIES.current_role)
    return role


def _beyond(role: asyncpg.Record, needed: Needed) -> list[Said]:
    if role["is_superuser"]:
        return [
            warning(
                f"{role['name']} is a superuser: a fault of this process reaches everything",
                f"give each process a role of its own, {_ROLES}",
            )
        ]
    if role["is_owner"] and needed.groups:
        return [
            warning(
                f"{role['name']} has the rights of the tables' owner",
                f"give each process a role of its own, {_ROLES}",
            )
        ]
    if role["makes_roles"] and needed.groups:
        return [
            warning(
                f"{role['name']} may create roles, which no running process needs",
                f"ALTER ROLE {role['name']} NOCREATEROLE",
            )
        ]
    return []


async def _missing(conn: asyncpg.Connection, role: asyncpg.Record, needed: Needed) -> list[Said]:
    if not needed.groups:
        return (
            []
            if role["is_owner"]
            else [failure(f"{role['name']} does not own the tables", f"use their owner, {_ROLES}")]
        )
    if not await conn.fetchval(_QUERIES.may_look, role["ledger"]):
        return [
            failure(
                f"{role['name']} may not use the schema {role['ledger']}",
                f"make it a member of {', '.join(needed.groups)}, {_ROLES}",
            )
        ]
    wanted = [
        (table, *_split(privilege))
        for table, entry in GRANTS.items()
        for group in needed.groups
        for privilege in rights.privileges(entry.get(group, ""))
    ]
    columns = [list(column) for column in zip(*wanted, strict=True)]
    rows = await conn.fetch(_QUERIES.rights_missing, role["ledger"], *columns)
    if not rows:
        return []
    lacking = [f"{row['privilege']} on {row['relation']}" for row in rows]
    more = f" and {len(lacking) - _SHOWN_MAX} more" if len(lacking) > _SHOWN_MAX else ""
    return [
        failure(
            f"{role['name']} lacks {', '.join(lacking[:_SHOWN_MAX])}{more}",
            f"make it a member of {', '.join(needed.groups)}, and run `ledgerpost-api migrate` as"
            f" the owner of the tables; {_ROLES}",
        )
    ]


async def _groups(conn: asyncpg.Connection) -> list[Said]:
    """Compare the rights of all groups, which need not be those of the current role."""
    differing = await rights.differences(conn)
    if not differing:
        return []
    return [
        warning(
            f"the rights of the groups differ from those of this version: {len(differing)}"
            f" statements would correct them, the first is {differing[0]}",
            "run `ledgerpost-api migrate` as the owner of the tables",
        )
    ]


def _split(privilege: str) -> tuple[str, str]:
    what, _, column = privilege.partition(" ")
    return what, column.strip("()")
