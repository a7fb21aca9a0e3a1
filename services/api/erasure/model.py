"""Who is erased, and what was found of them."""

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
    """The mails to erase with the sends they belong to, and the addresses that go with them."""

    sends: tuple[UUID, ...]
    mails: tuple[UUID, ...]
    addresses: tuple[str, ...]


class Erased(NamedTuple):
    """How many rows of each kind lost what was personal in them."""

    sends: int
    mails: int
    events: int
    statements: int
    suppressions: int
    answers: int
