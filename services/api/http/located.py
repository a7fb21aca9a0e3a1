"""Finds the database of a request, if there are several.

A request that names its business only by a secret (a key, a session, a link) may be of any
database. All are asked at once, and which database has a key is remembered. Only hashes of secrets
and signed tokens are looked for, so that the time of an answer tells nothing of a secret.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from aiohttp import web

from services.api.http.appkeys import DATABASE, DATABASES, KEY_DATABASES
from services.api.http.connections import connection
from services.api.http.databases import OpenDatabase
from shared.db import everywhere, postgres
from shared.db.postgres import Connection

Found = TypeVar("Found")
Look = Callable[[Connection], Awaitable[Found | None]]


async def find(request: web.Request, look: Look[Found]) -> Found | None:
    """Return what `look` finds in one of the databases, which is the request's from then on.

    Returns None if none has it. If a database could not be asked, and no other one has it, the
    error of that database is raised.
    """
    databases = request.app[DATABASES]
    if len(databases) == 1 or DATABASE in request:
        async with connection(request) as conn:
            return await look(conn)
    found = await everywhere.first(
        {name: partial(_ask, request, database, look) for name, database in databases.items()}
    )
    if found is None:
        return None
    name, answer = found
    request[DATABASE] = databases[name]
    return answer


async def find_holder(request: web.Request, digest: bytes, look: Look[object]) -> bool:
    """Find the database of a key or session by its hash; return whether there may be one.

    A known one is not looked for again.
    """
    databases = request.app[DATABASES]
    if len(databases) == 1 or DATABASE in request:
        return True
    places = request.app[KEY_DATABASES]
    known = places.of(digest)
    if known is None:
        if await find(request, look) is None:
            return False
        places.note(digest, request[DATABASE].name)
    else:
        request[DATABASE] = databases[known]
    return True


async def _ask(request: web.Request, database: OpenDatabase, look: Look[Found]) -> Found | None:
    try:
        async with connection(request, database) as conn:
            return await look(conn)
    except Exception as error:
        if postgres.is_away(error):
            database.trouble.met(error)
        raise
