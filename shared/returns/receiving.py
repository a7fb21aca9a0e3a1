"""Receives returned mails: finds the delivery of each, and takes it in."""

from collections.abc import Hashable, Sequence
from functools import partial
from typing import Final, NamedTuple

import asyncpg

from shared.db import everywhere
from shared.db.postgres import CONFLICTS, UNAVAILABLE
from shared.group_commit import GroupCommit
from shared.mail.return_path import ReturnPaths
from shared.returns import intake, unmatched
from shared.returns.intake import Incoming, Match, Named, Read, Taken
from shared.returns.metrics import ReturnMetrics

_ATTEMPTS = 3
#: Seconds for a connection of the pool; after it the caller should ask the sender to come again.
CONNECTION_WAIT_S: Final = 10.0
# The delivery was pruned after it was found: the next attempt does not find it.
_REPEATED: tuple[type[Exception], ...] = (*CONFLICTS, asyncpg.ForeignKeyViolationError)
# In one group. Each mail may have 2 MiB.
_NAMES_MAX, _MAILS_MAX = 100, 32


class Place(NamedTuple):
    """The delivery that a returned mail is about, if there is one, and its database's number."""

    database: int
    match: Match | None


class Receiver:
    """Receives returned mails, each for one recipient.

    Those that come at the same time are stored in one transaction. If it fails, each of them gets
    a transaction of its own.
    """

    def __init__(
        self, databases: Sequence[asyncpg.Pool], paths: ReturnPaths, counted: ReturnMetrics
    ) -> None:
        """Create it; what matches no delivery is stored in the first database."""
        self._databases, self._paths, self._counted = databases, paths, counted
        self._finding = [
            GroupCommit(partial(_match_all, each), UNAVAILABLE, most=_NAMES_MAX)
            for each in databases
        ]
        self._storing = [
            GroupCommit(partial(_store_all, each), (), most=_MAILS_MAX, key=_key)
            for each in databases
        ]

    def named(self, recipient: str | None) -> Named | None:
        """Return the delivery that a return path names; None if it is none of ours."""
        return intake.named_by(recipient, self._paths) if recipient else None

    async def find(self, named: Named | None) -> Place:
        """Return the place of the delivery that is named, or the place of what has none.

        Raises an error of a database that could not be asked, if no other one has the delivery.
        """
        if named is None:
            return _NOWHERE
        found = await everywhere.first(
            {number: partial(each.submit, named) for number, each in enumerate(self._finding)}
        )
        return _NOWHERE if found is None else Place(*found)

    async def has_room(self, incoming: Incoming) -> bool:
        """Return whether one more mail that matches no delivery may be stored today; count it."""
        return await unmatched.has_room(self._databases[0], len(incoming.raw))

    async def receive(self, incoming: Incoming, place: Place | None = None) -> Taken:
        """Take in a returned mail, commit, and count it; `place` is what `find` returned, if known.

        Of several databases it is the one that has the delivery. A transaction that conflicts with
        another one is repeated. Raises NotSettledYet if the mail that came back is being handed
        over at this moment; the caller keeps the returned mail until it can be received, as it does
        if the database is away.
        """
        if place is None:
            place = await self.find(self.named(incoming.recipient))
        mail = await _read(incoming, place)
        taken = await self._storing[place.database].submit(mail)
        if taken is None:
            mail, taken = await self._receive_alone(incoming)
        if not taken.is_copy:
            said = mail.understood.verdict
            self._counted.took(said.kind, said.scope, is_matched=mail.found is not None)
        return taken

    async def _receive_alone(self, incoming: Incoming) -> tuple[Read, Taken]:
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._receive_once(incoming)
            except _REPEATED:
                continue
        return await self._receive_once(incoming)

    async def _receive_once(self, incoming: Incoming) -> tuple[Read, Taken]:
        place = await self.find(self.named(incoming.recipient))
        mail = await _read(incoming, place)
        database = self._databases[place.database]
        async with database.acquire(timeout=CONNECTION_WAIT_S) as conn:
            return mail, await intake.store(conn, mail)


_NOWHERE = Place(0, None)


async def _read(incoming: Incoming, place: Place) -> Read:
    # No connection is held meanwhile: many mails may be understood at once.
    return Read(incoming, place.match, await intake.read(incoming, place.match))


def _key(mail: Read) -> tuple[Hashable, Hashable]:
    return mail.key


async def _match_all(database: asyncpg.Pool, named: Sequence[Named]) -> list[Match | None]:
    async with database.acquire(timeout=CONNECTION_WAIT_S) as conn:
        return await intake.match_all(conn, named)


async def _store_all(database: asyncpg.Pool, mails: Sequence[Read]) -> list[Taken | None]:
    """Return what `intake.store_all` does; None for all if their transaction fails."""
    try:
        async with database.acquire(timeout=CONNECTION_WAIT_S) as conn:
            return await intake.store_all(conn, mails)
    except Exception:  # noqa: BLE001 -- each is stored by itself then, which shows what is wrong
        return [None] * len(mails)
