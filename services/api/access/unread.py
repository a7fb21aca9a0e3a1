from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from services.api.core.refusals import Busy

# Unread bytes that the answers of a key may have, or all answers without a key together.
_MOST = 8 * 1024 * 1024


class Unread:
    """The unread bytes of each key's answers in this process."""

    def __init__(self) -> None:
        self._bytes: Counter[UUID | None] = Counter()

    @contextmanager
    def held(self, key: UUID | None, size: int) -> Iterator[None]:
        """Count an answer while it is written. Raises Busy if its key has too many unread bytes.

        A single answer is always allowed, whatever its size.
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
