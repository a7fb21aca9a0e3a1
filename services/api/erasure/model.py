"""The customer or address to erase, and the rows that belong to it."""

import re
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

# What stands between words of a sentence or of JSON; no accepted address contains one of them.
_BETWEEN = r'[][\s"\\<>,;:()]'


def standing_alone(address: str) -> str:
    """Return a pattern of Postgres that finds an address, but not within a longer one.

    Its first group is what stands before the address.
    """
    # Mail servers also quote by apostrophes, which an address may contain.
    before, behind = rf"(^|{_BETWEEN}|(?<![[:alnum:]])')", rf"(?=\.?({_BETWEEN}|'|$))"
    return f"{before}{re.escape(address)}{behind}"


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
    batches: int
    returns: int
