from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from services.api.core.refusals import Busy

# Bytes of answers that a key may have unread; all without one together, too.
_MOST = 8 * 1024 * 1024


class Unread:
    """How many bytes of answers each key has not read yet, as far as this process knows."""

    def __init__(self) -> None:
        self._bytes: Counter[UUID | None] = Counter()

    @contextmanager
    def held(self, key: UUID | None, size: int) -> Iterator[None]:
        """Count an answer while it is written; Busy if its key has too much unread already.

        One answer always goes, whatever its size.
        """
        if self._bytes[key] and self._bytes[key] + size > _MOST:
            raise Busy(
                "Too many bytes of earlier answers have not been read yet.",
                retry_after=timedelta(seconds=5),
            )
        self._bytes[key] += size
        try:
            yield
        finally:
            self._bytes[key] -= size
            if not self._bytes[key]:
                del self._bytes[key]
