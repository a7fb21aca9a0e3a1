"""Creates the roles of the processes, and grants and revokes rights as in grants.py."""

import re
from collections.abc import Iterable
from contextlib import suppress

import asyncpg

from shared.db import sql
from shared.db.grants import GRANTS, ROLES
from shared.db.postgres import Connection

_QUERIES = sql.load("shared.db")
# Privileges, separated by commas, each with or without columns.
_PRIVILEGE = re.compile(r"([A-Z]+)(?: \(([a-z0-9_, ]+)\))?")

# A role, a table, and a privilege as `SELECT` or as `UPDATE (column)`.
_Grant = tuple[str, str, str]


class MayNotGrant(RuntimeError):
    """The rights differ, and the session is not their owner; the message is one line."""


async def settle(conn: Connection) -> list[str]:
    """Give each role exactly the rights that it needs, and return the roles that do not exist.

    Creates missing roles if the session may do so. Must run in a transaction; only reads if nothing
    differs. Raises MayNotGrant if something differs and the session is not the owner.
    """
    [asks] = await conn.fetch(_QUERIES.owner)
    roles = await _roles(conn, makes=asks["makes_roles"])
    statements = await _statements(conn, roles, asks["ledger"])
    if statements and not asks["is_owner"]:
        raise MayNotGrant(
            f"the rights of {', '.join(roles)} are out of date: run migrate as the owner of the"
            f" tables, {asks['name']} is not"
        )
    for statement in statements:
        await conn.execute(statement)
    return [role for role in ROLES if role not in roles]


async def differences(conn: Connection) -> list[str]:
    """Return the SQL statements that would give the existing roles exactly what they need."""
    [asks] = await conn.fetch(_QUERIES.owner)
    return await _statements(conn, await _roles(conn, makes=False), asks["ledger"])


def privileges(text: str) -> set[str]:
    """Return the single privileges of an entry, one for each column."""
    return {
        f"{what} ({column.strip()})" if column else what
        for what, columns in _PRIVILEGE.findall(text)
        for column in (columns.split(",") if columns else [""])
    }


async def _roles(conn: Connection, *, makes: bool) -> list[str]:
    """Return those of our roles that exist now."""
    there = {row[0] for row in await conn.fetch(_QUERIES.roles, ROLES)}
    for role in ROLES if makes else ():
        if role not in there:
            # Roles belong to the whole server: a migrator of another database may create it first.
            with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                async with conn.transaction():
                    await conn.execute(f"CREATE ROLE {role}")
            there.add(role)
    return [role for role in ROLES if role in there]


async def _statements(conn: Connection, roles: list[str], ledger: str) -> list[str]:
    """Return the SQL statements that correct the rights."""
    tables = {row[0] for row in await conn.fetch(_QUERIES.tables, ledger)}
    wanted: set[_Grant] = {
        (role, table, privilege)
        for table, entry in GRANTS.items()
        for role, text in entry.items()
        for privilege in privileges(text)
        if table in tables and role in roles
    }
    given: set[_Grant] = {tuple(row) for row in await conn.fetch(_QUERIES.grants, roles, ledger)}
    blind = await conn.fetch(_QUERIES.roles_that_cannot_look, roles, ledger)
    functions = await conn.fetch(_QUERIES.functions_for_all, ledger, list(GRANTS))
    return [
        *(f"GRANT USAGE ON SCHEMA {ledger} TO {role}" for (role,) in blind),
        *_each(wanted - given, "GRANT {} ON {} TO {}", ledger),
        *_each(given - wanted, "REVOKE {} ON {} FROM {}", ledger),
        *(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC" for (function,) in functions),
    ]


def _each(grants: Iterable[_Grant], form: str, ledger: str) -> list[str]:
    return [
        form.format(privilege, f'{ledger}."{table}"', role)
        for role, table, privilege in sorted(grants)
    ]
