"""The databases to which requests over the queue go: each to the one that has its key."""

from collections.abc import Mapping, Sequence
from functools import partial

import asyncpg

from services.api.access import store
from services.api.access.key_databases import KeyDatabases
from services.api.access.model import Key
from services.api.core.refusals import Unauthenticated
from shared.db import everywhere, postgres


class Elsewhere(Exception):
    """A request has to wait until the database of this name answers; `obstacle` is its error."""

    def __init__(self, database: str, obstacle: Exception) -> None:
        self.database = database
        self.obstacle = obstacle
        super().__init__(database)


class Databases:
    """Finds the database of a request by its key, and remembers it."""

    def __init__(self, pools: Mapping[str, asyncpg.Pool]) -> None:
        self.pools = pools
        self._known = KeyDatabases()

    async def of(self, authorization: Sequence[str]) -> str:
        """Return the name of the database that has the key in the headers of a request.

        A request without a valid key is refused by the first database. Raises Elsewhere if no
        database has the key, and one of them could not be asked.
        """
        first = next(iter(self.pools))
        digest = _digest(authorization)
        if len(self.pools) == 1 or digest is None:
            return first
        known = self._known.of(digest)
        if known is not None:
            return known
        away: list[str] = []
        asked = {name: partial(self._ask, name, digest, away) for name in self.pools}
        try:
            found = await everywhere.first(asked)
        except postgres.UNAVAILABLE as obstacle:
            raise Elsewhere(away[0], obstacle) from None
        if found is None:
            return first
        self._known.note(digest, found[0])
        return found[0]

    def knows(self, authorization: Sequence[str]) -> bool:
        """Return whether the place of the key is remembered, so that of() asks no database."""
        digest = _digest(authorization)
        return digest is not None and self._known.of(digest) is not None

    def forget(self, authorization: Sequence[str]) -> None:
        """Forget the place of a key that turned out to be invalid there."""
        if (digest := _digest(authorization)) is not None:
            self._known.forget(digest)

    async def _ask(self, name: str, digest: bytes, away: list[str]) -> bool | None:
        try:
            async with self.pools[name].acquire(timeout=5) as conn:
                return await store.has_key(conn, digest)
        except postgres.UNAVAILABLE:
            away.append(name)
            raise


def _digest(authorization: Sequence[str]) -> bytes | None:
    try:
        return Key.bearer(authorization).sha256
    except Unauthenticated:
        return None
