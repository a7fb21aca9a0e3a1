from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

_ENTRY_BYTES = 500  # what an entry takes beside its value, about


class _Entry(NamedTuple):
    version: str
    value: object
    size: int


class VersionCache:
    """What was read of ledgers at a version, for further requests while the ledger is the same.

    The caller gives the current version; a value of any other one is never returned. All values
    together have at most `most` bytes; those that were used least recently are forgotten.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, version: str) -> object | None:
        """Return the value of `key` at this version, or None."""
        entry = self._entries.get(key)
        if entry is None or entry.version != version:
            return None
        self._entries.move_to_end(key)
        return entry.value

    def put(self, key: Hashable, version: str, value: object, size: int) -> None:
        """Keep the value of `key` at this version, in place of that of another version."""
        self._drop(key)
        size += _ENTRY_BYTES
        if size > self._most:
            return
        self._entries[key] = _Entry(version, value, size)
        self._size += size
        while self._size > self._most:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size
