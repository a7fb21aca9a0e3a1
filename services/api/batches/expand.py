"""Expands batches: customers that wait become sends, or are skipped with a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import orjson

from services.api.batches.decisions import Asked, Decision, decide
from services.api.core.refusals import OverQuota
from services.api.core.uuid7 import uuid7
from services.api.sends import quota
from services.api.sends.recipients import Recipients
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.mail.address import Address
from shared.period import Period

_queries = sql.load("services.api.batches", "expand.sql")

# The NOTIFY channel that wakes the relays when a batch is accepted or changes its phase.
BATCH_CHANNEL = "ledgerpost_batches"
# Customers of one step: few enough that a step is short, and many enough that it costs little.
STEP = 200
_TRIES_MAX = 10  # in more than three hours
_FINISHED_MAX = 500
_NO_ROOM: Final[Mapping[str, Any]] = {
    "reason": "addresses were added since the batch was accepted, and the daily quota has no room",
    "reason_code": ReasonCode.OVER_QUOTA,
}


class Taken(NamedTuple):
    """A batch that this transaction works on; `row` has what it asks for."""

    id: UUID
    business_id: int
    row: asyncpg.Record


async def take(conn: Connection, after_business: int) -> Taken | None:
    """Lock a batch that is due until the transaction ends, or return None if there is none.

    Businesses take turns: the batch is of the next business after this one.
    """
    row = await conn.fetchrow(_queries.take, after_business)
    return None if row is None else Taken(row["id"], row["business_id"], row)


async def expand(conn: Connection, batch: Taken, terms: Terms) -> None:
    """Make the sends of some customers that wait; after the last of them the batch is expanded.

    All of it is one transaction with `take`, so that a crash repeats nothing and loses nobody.
    Customers are taken in the order of their ids; those up to `expanded_to` do not wait.
    """
    waiting = await conn.fetch(_queries.waiting, batch.id, batch.row["expanded_to"], STEP)
    if waiting:
        frozen: Mapping[int, Sequence[str]] | None = None
        if batch.row["is_frozen"]:
            frozen = {row["customer_id"]: row["recipients"] or () for row in waiting}
        customers = [row["customer_id"] for row in waiting]
        decisions = await decide(conn, _asked(batch.row), terms, customers, frozen)
        charges = {row["customer_id"]: row["charged"] for row in waiting}
        await _store(conn, batch.id, await _charged(conn, batch, terms, decisions, charges))
    if len(waiting) < STEP:
        await conn.execute(_queries.complete, batch.id)
        await give_back(conn, batch.id)


async def give_back(conn: Connection, batch_id: UUID, *, was_cancelled: bool = False) -> None:
    """Give back the quota that the batch was charged beyond the recipients of its sends.

    What was cancelled stays accepted on its day, as it does for single sends: to ask and to cancel
    over again must not be free. A batch that will have no further sends is settled by this, however
    often it is called.
    """
    await conn.execute(_queries.give_back, batch_id, was_cancelled)


async def finish(conn: Connection) -> int:
    """End the batches whose mails are all in a final state or in doubt; return their number."""
    return len(await conn.fetch(_queries.finish, _FINISHED_MAX))


async def note_failure(conn: Connection, batch_id: UUID, error: Exception) -> bool:
    """Note that a step failed, and return whether the batch is given up.

    The batch is tried again after one second, and after growing waits of at most an hour; meanwhile
    it says why it waits. After ten failures in a row, more than three hours, it fails: its sends
    stay, and its other customers are not mailed.
    """
    reason = f"customers could not be made into sends: {type(error).__name__}"
    async with conn.transaction():
        phase = await conn.fetchval(
            _queries.note_failure, batch_id, _TRIES_MAX, reason, ReasonCode.NOT_EXPANDED
        )
        if phase != "failed":
            return False
        await give_back(conn, batch_id)
        return True


async def next_due(conn: Connection) -> timedelta | None:
    """Return the time until a batch has to be expanded by the database's clock, or None."""
    wait: timedelta | None = await conn.fetchval(_queries.next_due)
    return wait


async def _charged(
    conn: Connection,
    batch: Taken,
    terms: Terms,
    decisions: Sequence[Decision],
    charges: Mapping[int, int],
) -> Sequence[Decision]:
    """Return the decisions for whose recipients the quota is charged.

    `charges` has how many recipients of each customer are charged. If addresses were added to the
    ledger meanwhile, what the customers before do not need pays for them, and then the quota. If
    it has no room, those customers are skipped, and nobody else.
    """
    wanted = sum(map(_number, decisions))
    if wanted <= sum(charges.values()):
        return decisions
    after = await conn.fetchval(_queries.reserved, batch.id, decisions[-1].customer_id)
    room = batch.row["room"] - after
    if wanted <= room:
        return decisions
    try:
        with quota.enforced(batch.row["taken_at"], batch.row["send_at"], terms.daily_quota):
            async with conn.transaction():
                await conn.execute(_queries.charge, batch.id, wanted - room, terms.daily_quota)
    except OverQuota:
        return _fitting(decisions, room, charges)
    return decisions


def _fitting(
    decisions: Sequence[Decision], room: int, charges: Mapping[int, int]
) -> Sequence[Decision]:
    """Return the decisions for whom there is room: first for those whose recipients are charged."""
    paid = {each.customer_id for each in decisions if _number(each) <= charges[each.customer_id]}
    room -= sum(_number(each) for each in decisions if each.customer_id in paid)
    fitting = []
    for each in decisions:
        number = 0 if each.customer_id in paid else _number(each)
        fits = number <= room
        room -= number if fits else 0
        fitting.append(each if fits else replace(each, to=None, **_NO_ROOM))
    return fitting


def _number(decision: Decision) -> int:
    return 0 if decision.to is None else len(decision.to.addresses)


def _asked(row: asyncpg.Record) -> Asked:
    return Asked(
        business_id=row["business_id"],
        period=Period(row["date_from"], row["date_to"]),
        kind=row["statement_kind"],
        others=tuple(Address.parse(each) for each in row["other_emails"]),
        copy_to_me=row["copy_to_me"],
        skip_empty=row["skip_empty"],
        min_balance=row["min_balance"],
    )


async def _store(conn: Connection, batch_id: UUID, decisions: Sequence[Decision]) -> None:
    made = [(each.customer_id, each.to) for each in decisions if each.to is not None]
    skipped = [each for each in decisions if each.to is None]
    mails = [
        (uuid7(), number, position, address)
        for number, (_, to) in enumerate(made, start=1)
        for position, address in enumerate(to.addresses, start=1)
    ]
    query = sql.call(
        _queries.store,
        batch=batch_id,
        first=decisions[0].customer_id,
        last=decisions[-1].customer_id,
        send_ids=[uuid7() for _ in made],
        customers=[customer for customer, _ in made],
        skipped_addresses=[_skipped_json(to) for _, to in made],
        delivery_ids=[mail for mail, _, _, _ in mails],
        sent_of=[number for _, number, _, _ in mails],
        positions=[position for _, _, position, _ in mails],
        emails=[address.email for _, _, _, address in mails],
        email_keys=[address.key for _, _, _, address in mails],
        skipped=[each.customer_id for each in skipped],
        reasons=[each.reason for each in skipped],
        reason_codes=[each.reason_code for each in skipped],
    )
    await conn.execute(*query)


def _skipped_json(to: Recipients) -> str:
    return orjson.dumps([skipped.model_dump() for skipped in to.skipped]).decode()
