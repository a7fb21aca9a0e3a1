"""Authentication of requests over the queue; they share the rate limit of HTTP."""

from services.api.access import store
from services.api.access.attempts import Attempts
from services.api.access.model import Key, Principal, valid
from services.api.access.rate_limit import Limits, Rate
from services.api.core.refusals import Unauthenticated
from shared.db.postgres import Connection


class Admission:
    """Checks keys and their rate limit, and remembers invalid keys."""

    def __init__(self, limit: int) -> None:
        self._limits = Limits(limit)
        self._invalid_keys = Attempts()

    async def admit(self, conn: Connection, key: Key) -> tuple[Principal, Rate | None]:
        """Count the request, and return the principal of `key` and the key's rate.

        The rate is None if the database does not accept writes. Raises Unauthenticated if the key
        is invalid, and RateLimited if an invalid key was tried too often.
        """
        digest = key.sha256
        if not self._limits.knows(digest):
            self._invalid_keys.check(digest)
        async with self._limits.turn(digest) as rate:
            if rate is not None:
                return self._valid(digest, await store.principal(conn, digest)), rate
            holder, leased = await store.admit(conn, digest, self._limits.limit) or (None, None)
            principal = self._valid(digest, holder)
            return principal, leased and self._limits.add(digest, leased)

    def _valid(self, digest: bytes, holder: Principal | None) -> Principal:
        try:
            return valid(holder)
        except Unauthenticated:
            self._limits.forget(digest)
            self._invalid_keys.count(digest)
            raise
