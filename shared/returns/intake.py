"""Takes returned mail in: finds its delivery, understands it, stores it and carries out its effect.

Every way in (SMTP, LMTP, a Maildir, the API, a command) ends here, in one transaction, before the
mail is acknowledged or deleted. Mails that come at the same moment may share a transaction.
"""

import asyncio
import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from uuid import UUID, uuid4

import asyncpg

from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries import returns
from shared.deliveries.returns import Change
from shared.deliveries.states import State
from shared.mail.return_path import ReturnPaths, unsigned_delivery
from shared.returns import effects, parts, rows
from shared.returns.understand import understand
from shared.returns.verdict import Verdict

_QUERIES = sql.load("shared.returns")
# Understood at once: a usual one takes 0.3 ms, and the worst of this size a quarter of the worst.
_SMALL = 4 * 1024
#: Returns of one delivery that are stored from mail servers: whoever knows its return path could
#: fill the disk otherwise. A mail comes back once or twice; a list of automatic replies is longer.
RETURNS_OF_ONE_MAX: Final = 100

Source = Literal["smtp", "lmtp", "maildir", "api", "command"]


class NotSettledYet(RuntimeError):
    """The reply to the mail is not recorded yet: the returned mail has to be taken in later."""


class Taken(NamedTuple):
    """The stored return, and whether it was stored before."""

    id: UUID
    is_copy: bool


class Named(NamedTuple):
    """The delivery that an address names, and whether the address proves it by its signature."""

    delivery_id: UUID
    is_signed: bool


@dataclass(frozen=True, repr=False)
class Match:
    """The delivery that a returned mail is about.

    `is_signed` is whether its address proves it, and `is_full` whether RETURNS_OF_ONE_MAX returns
    of the delivery are stored.
    """

    delivery_id: UUID
    business_id: int
    email: str
    state: State
    is_signed: bool
    is_full: bool = False

    @property
    def named(self) -> Named:
        """The name by which it was found."""
        return Named(self.delivery_id, self.is_signed)


@dataclass(frozen=True, repr=False)
class Incoming:
    """A returned mail as it came; `business_id` is that of the key that posted it.

    `size` is its number of bytes if `raw` is only its beginning.
    """

    raw: bytes
    source: Source
    recipient: str | None = None
    business_id: int | None = None
    size: int | None = None


class Understood(NamedTuple):
    """What a returned mail says, and the hash by which its copies are known."""

    verdict: Verdict
    sha256: bytes


class Read(NamedTuple):
    """A returned mail that was read, and can be stored."""

    incoming: Incoming
    found: Match | None
    understood: Understood

    @property
    def key(self) -> tuple[Hashable, Hashable]:
        """What the mail is about, and what tells it from others about the same."""
        if self.found is not None:
            return self.found.delivery_id, self.understood.sha256
        came = self.incoming
        return (came.business_id, came.recipient, self.understood.sha256), None


def named_by(address: str, paths: ReturnPaths) -> Named | None:
    """Return the delivery that a return path names, signed or not; None if its signature is wrong.

    It asks no database, so that forged addresses cost next to nothing.
    """
    if (signed := paths.delivery(address)) is not None:
        return Named(signed, is_signed=True)
    unsigned = unsigned_delivery(address)
    return None if unsigned is None else Named(unsigned, is_signed=False)


async def match(conn: Connection, address: str, paths: ReturnPaths) -> Match | None:
    """Return the delivery that a return path names, or None if the address is not to be accepted.

    An unsigned one is accepted for deliveries that were handed over before return paths were
    signed.
    """
    named = named_by(address, paths)
    return None if named is None else (await match_all(conn, [named]))[0]


async def match_all(conn: Connection, named: Sequence[Named]) -> list[Match | None]:
    """Return the delivery of each name, as `match` does."""
    ids = list({each.delivery_id for each in named})
    rows = await conn.fetch(_QUERIES.deliveries, ids, RETURNS_OF_ONE_MAX)
    found = {row["id"]: row for row in rows}
    return [_match(found.get(each.delivery_id), is_signed=each.is_signed) for each in named]


async def take(conn: Connection, incoming: Incoming, found: Match | None) -> Taken:
    """Store a returned mail and carry out its effect, in one transaction; a copy changes nothing.

    Raises NotSettledYet if the mail is being handed over at this moment.
    """
    return await store(conn, Read(incoming, found, await read(incoming, found)))


async def read(incoming: Incoming, found: Match | None) -> Understood:
    """Return what a returned mail says. Raises NotSettledYet as `take` does."""
    if found is not None and found.state == State.COMMITTING:
        raise NotSettledYet
    raw, email = incoming.raw[: parts.BYTES_MAX], found.email if found else None
    if len(raw) <= _SMALL:
        return _understood(raw, email)
    # In a thread: the worst mails take 50 ms, in which no other request would get on.
    return await asyncio.to_thread(_understood, raw, email)


async def store(conn: Connection, mail: Read) -> Taken:
    """Store a returned mail that was read and carry out its effect, in one transaction.

    It waits for a transaction that changes the delivery. Raises NotSettledYet as `take` does, and
    SerializationError if the delivery is gone.
    """
    async with conn.transaction():
        if mail.found is not None:
            await conn.execute(_QUERIES.free_delivery, mail.found.delivery_id)
        [taken] = await _stored(conn, [mail])
        if taken is not None:
            return taken
        if mail.found is not None and await match_all(conn, [mail.found.named]) != [None]:
            raise NotSettledYet
        raise asyncpg.SerializationError("the delivery of a returned mail is gone")


async def store_all(conn: Connection, mails: Sequence[Read]) -> list[Taken | None]:
    """Store returned mails that were read and carry out their effects, in one transaction.

    Those about the same delivery are copies of each other. None: this one has to be stored by
    itself, because its delivery is gone, is being handed over, or another transaction changes it.
    """
    async with conn.transaction():
        return await _stored(conn, mails)


def digest(raw: bytes) -> bytes:
    """Return the SHA-256 of the body after the header, with line ends of one kind."""
    return hashlib.sha256(parts.with_plain_ends(raw).partition(b"\n\n")[2]).digest()


async def carry_out(conn: Connection, found: Match, verdict: Verdict) -> list[str]:
    """Carry out what a verdict means for the delivery, and return what has changed."""
    change = _change(found, verdict)
    if change is None:
        return []
    return effects.done(change, await returns.settle(conn, [change]))


def _match(row: asyncpg.Record | None, *, is_signed: bool) -> Match | None:
    if row is None or not (is_signed or row["is_older"]):
        return None
    return Match(
        delivery_id=row["id"],
        business_id=row["business_id"],
        email=row["email"],
        state=State(row["state"]),
        is_signed=is_signed,
        is_full=row["is_full"],
    )


def _understood(raw: bytes, email: str | None) -> Understood:
    return Understood(understand(raw, email), digest(raw))


async def _stored(conn: Connection, mails: Sequence[Read]) -> list[Taken | None]:
    first = {each.key: each for each in reversed(mails)}
    taken = dict(zip(first, await _stored_once(conn, list(first.values())), strict=True))
    return [
        found if found is None or each is first[each.key] else found._replace(is_copy=True)
        for each in mails
        for found in (taken[each.key],)
    ]


async def _stored_once(conn: Connection, mails: Sequence[Read]) -> list[Taken | None]:
    ids = {uuid4(): mail for mail in mails}
    added = await conn.fetch(*sql.call(_QUERIES.add, **rows.columns(ids)))
    is_new: dict[UUID, bool] = {row["id"]: row["is_new"] for row in added}
    changes = {
        each: change
        for each, mail in ids.items()
        if is_new.get(each) and mail.found is not None
        if (change := _change(mail.found, mail.understood.verdict)) is not None
    }
    if changes:
        changed = await returns.settle(conn, list(changes.values()))
        told = [" ".join(effects.done(change, changed)) for change in changes.values()]
        await conn.execute(_QUERIES.tell_effects, list(changes), told)
    first = await rows.first(
        conn, {each: mail for each, mail in ids.items() if not is_new.get(each, True)}
    )
    return [
        Taken(first.get(each, each), is_copy=each in first) if each in is_new else None
        for each in ids
    ]


def _change(found: Match, verdict: Verdict) -> Change | None:
    return effects.asked(found.delivery_id, verdict, is_signed=found.is_signed)
