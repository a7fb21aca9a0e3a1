"""Who may ask over the queue: as often as over HTTP, and counted together with it."""

from services.api.access import store
from services.api.access.invalid_keys import Refused
from services.api.access.model import Key, Principal, valid
from services.api.access.rate_limit import Limits, Rate
from services.api.core.refusals import Unauthenticated
from shared.db.postgres import Connection


class Admission:
    """Lets in who holds a valid key, within the key's window; bad keys are remembered."""

    def __init__(self, limit: int) -> None:
        self._limits = Limits(limit)
        self._refused = Refused()

    async def admit(self, conn: Connection, key: Key) -> tuple[Principal, Rate | None]:
        """Return who holds `key`, and where it stands with this request counted.

        None stands for a database that takes no writes. Raises Unauthenticated if nobody holds the
        key, and RateLimited if it was tried in vain too often.
        """
        digest = key.sha256
        if not self._limits.knows(digest):
            self._refused.check(digest)
        async with self._limits.turn(digest) as rate:
            if rate is not None:
                return self._valid(key, await store.principal(conn, key)), rate
            holder, lease = await store.admit(conn, key, self._limits.limit) or (None, None)
            principal = self._valid(key, holder)
            return principal, lease and self._limits.lease(digest, lease)

    def _valid(self, key: Key, holder: Principal | None) -> Principal:
        try:
            return valid(holder)
        except Unauthenticated:
            self._refused.count(key.sha256)
            raise
