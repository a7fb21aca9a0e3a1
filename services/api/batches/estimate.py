"""How long the mails of a batch take, at the rates that the operator set."""

import math
from array import array
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from zlib import crc32

from shared.db import sql
from shared.db.postgres import Connection
from shared.process.settings import ApiSettings

#: The seconds that a connection to the smarthost is assumed to be busy with one mail.
HANDOVER_S: Final = 0.2
# Domains share these counters, so that a hostile audience of a million domains takes no memory.
_COUNTERS: Final = 65_536
_queries = sql.load("services.api.batches", "estimate.sql")


@dataclass(frozen=True)
class Rates:
    """The mails per second of one mailer: to the smarthost and to each domain; None: no limit.

    `connections` is the number of its connections to the smarthost.
    """

    smarthost: float | None
    domain: float | None
    connections: int

    @classmethod
    def of(cls, settings: ApiSettings) -> Self:
        """Return the rates that the operator set."""
        return cls(settings.smarthost_rate, settings.domain_rate, settings.mailer_concurrency)


class Mails:
    """Mails that have to be handed over, counted by the domains of their recipients.

    Domains that share a counter count as one. There are so many counters that this rarely matters.
    """

    def __init__(self) -> None:
        self.number = 0
        self._by_domain = array("L", bytes(array("L").itemsize * _COUNTERS))

    def add(self, domain: str, number: int = 1) -> None:
        """Add mails to recipients in one domain."""
        self.number += number
        self._by_domain[crc32(domain.encode()) % _COUNTERS] += number

    def seconds(self, rates: Rates) -> float:
        """Return the seconds until the last of these mails is handed over, if all are due now."""
        slowest = self.number * HANDOVER_S / rates.connections
        if rates.smarthost is not None:
            slowest = max(slowest, self.number / rates.smarthost)
        if rates.domain is not None:
            slowest = max(slowest, max(self._by_domain) / rates.domain)
        return slowest

    def __add__(self, other: "Mails") -> "Mails":
        both = Mails()
        both.number = self.number + other.number
        pairs = zip(self._by_domain, other._by_domain, strict=True)
        both._by_domain = array("L", (mine + yours for mine, yours in pairs))
        return both


async def waiting(conn: Connection, business_id: int, due: datetime) -> Mails:
    """Return the mails of a business that are due by `due` and not handed over yet.

    Customers of its batches that have no send yet count as one mail each, to no domain.
    """
    found = Mails()
    async for domain, number in conn.cursor(_queries.waiting, business_id, due):
        found.add(domain, number)
    found.number += await conn.fetchval(_queries.unexpanded, business_id, due)
    return found


def estimated_seconds(
    own: Mails, before: Mails, rates: Rates, *, now: datetime, due: datetime
) -> int:
    """Return the seconds from `due` until the last of the mails `own` is handed over.

    The mails `before` are handed over first, from `now` on.
    """
    ahead = (due - now).total_seconds()
    return math.ceil(max(own.seconds(rates), (own + before).seconds(rates) - ahead))
