"""Which database has a key, if there are several."""

from collections import OrderedDict

_MOST_KEYS = 10_000


class KeyDatabases:
    """The database of each key or session that this process has found."""

    def __init__(self) -> None:
        self._names: OrderedDict[bytes, str] = OrderedDict()

    def of(self, digest: bytes) -> str | None:
        """Return the name of the database that has the key with this hash; None if unknown."""
        return self._names.get(digest)

    def note(self, digest: bytes, database: str) -> None:
        """Remember the database of a key."""
        self._names[digest] = database
        if len(self._names) > _MOST_KEYS:
            self._names.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Forget a key that is not valid there any more: its business may have moved."""
        self._names.pop(digest, None)
