"""The customer or address to erase, and the rows that belong to it."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID


@dataclass(frozen=True)
class Whom:
    """One customer of a business, or one address that it mailed."""

    business_id: int
    customer_id: int | None = None
    address: str | None = None


@dataclass(frozen=True)
class Found:
    """The mails to erase, their sends, and the addresses to erase with them."""

    sends: tuple[UUID, ...]
    mails: tuple[UUID, ...]
    addresses: tuple[str, ...]


class Erased(NamedTuple):
    """The number of rows of each kind whose personal data was removed."""

    sends: int
    mails: int
    events: int
    statements: int
    suppressions: int
    answers: int
