"""Guesses the business of a request before its key is looked up, for the turns of businesses."""

from collections import OrderedDict

_MOST_KEYS = 10_000


class Borrowers:
    """The business of each key that this process has seen."""

    def __init__(self) -> None:
        self._businesses: OrderedDict[bytes, int] = OrderedDict()

    def of(self, digest: bytes) -> int:
        """Return the business of the key with this hash; for an unknown key a negative number."""
        known = self._businesses.get(digest)
        return -int.from_bytes(digest[:8]) if known is None else known

    def note(self, digest: bytes, business: int) -> None:
        """Remember the business of a key."""
        if digest not in self._businesses:
            self._businesses[digest] = business
            if len(self._businesses) > _MOST_KEYS:
                self._businesses.popitem(last=False)
