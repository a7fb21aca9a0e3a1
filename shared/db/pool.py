"""A pool of connections that are given back at once."""

from typing import Any

import asyncpg


class Pool(asyncpg.Pool):
    """A pool of asyncpg without a task for each connection that is given back.

    asyncpg makes one, so that whoever is cancelled meanwhile does not lose the connection. That is
    only needed if there is something to wait for.
    """

    __slots__ = ()

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """Give a connection back; an open transaction is rolled back."""
        used = connection._con  # noqa: SLF001 -- asyncpg has no other way to give a connection back
        if used is None or used.is_closed() or _has_to_wait(used):
            await super().release(connection, timeout=timeout)
            return
        used._on_release()  # noqa: SLF001 -- as above
        await connection._holder.release(timeout)  # noqa: SLF001 -- as above


def _has_to_wait(used: Any) -> bool:
    """Return whether a transaction is open, or the end of a cancelled query has not come yet."""
    return bool(used.is_in_transaction() or used._protocol._is_cancelling())  # noqa: SLF001 -- as above
