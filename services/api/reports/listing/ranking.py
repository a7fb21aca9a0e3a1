from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from struct import unpack_from

from services.api.reports.listing.place import Place, Side, page_numbers

_ID_BYTES = 8
_SIGN_DIGITS = 16


@dataclass(frozen=True)
class Ranking:
    """The ids of a list in its order, at one version of the ledger.

    Of `total` rows it has all ids, or only the first.
    """

    version: str
    packed: bytes
    total: int

    @cached_property
    def sign(self) -> str:
        """What cursors have of the version, to see whether their numbers still hold."""
        return sha256(self.version.encode()).hexdigest()[:_SIGN_DIGITS]

    def has(self, rows: range) -> bool:
        """Return whether it has the ids of these rows."""
        return rows.stop * _ID_BYTES <= len(self.packed)

    def ids(self, rows: range) -> tuple[int, ...]:
        """Return the ids of some rows."""
        return unpack_from(f"!{len(rows)}q", self.packed, rows.start * _ID_BYTES)

    def numbers(self, place: Place | None) -> bool:
        """Return whether the number of the place is that of its row here."""
        return place is None or place.side == Side.LAST or place.version == self.sign

    def page(self, place: Place | None, before: int, rows: int) -> range:
        """Return the numbers of the rows of a page at a place, which `before` rows precede."""
        return page_numbers(self.total, place, before, rows)
