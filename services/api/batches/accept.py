"""Accepts a batch: selects its customers and stores it, in one short transaction."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import orjson

from services.api.access import daily_counts
from services.api.batches import frozen_lists, store
from services.api.batches.draft import Draft, drafted
from services.api.batches.model import Batch
from services.api.batches.request import BatchRequest
from services.api.core.refusals import Busy, Invalid, OverQuota
from services.api.core.uuid7 import uuid7
from services.api.reports.listing.query import chosen_ids
from services.api.reports.model import ReportQuery
from services.api.sends import quota
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.mail.stored import stored_addresses
from shared.trace import Trace

CUSTOMERS_MAX: Final = 200_000  # of one batch
WAITING_MAX: Final = 100  # batches of one business that wait for the quota
OPEN_MAX: Final = 100  # batches of one business that are not finished, besides those of schedules
_OVER_QUOTA: Final = "no day had room for it in the daily quota yet"
_queries = sql.load("services.api.batches")


@dataclass(frozen=True)
class MadeBy:
    """The schedule that makes a batch, and the local date of the occurrence.

    The date is None if somebody ran the schedule.
    """

    schedule_id: UUID
    day: date | None


class TooManyOpen(OverQuota):
    """The business has as many open batches as it may have."""

    def __init__(self) -> None:
        super().__init__(
            f"The business has {OPEN_MAX} batches that are not finished, the most that there may"
            " be at a time; nothing was stored.",
            retry_after=timedelta(minutes=1),
        )


class TooManyWaiting(OverQuota):
    """The business has as many batches that wait for the daily quota as it may have."""

    def __init__(self) -> None:
        super().__init__(
            f"The business has {WAITING_MAX} batches that wait for the daily quota, the most that"
            " there may be at a time; nothing was stored.",
            retry_after=timedelta(minutes=1),
        )


async def accept(
    conn: Connection,
    business_id: int,
    request: BatchRequest,
    terms: Terms,
    trace: Trace | None = None,
    *,
    schedule: MadeBy | None = None,
) -> Batch:
    """Store the batch and its customers, all or nothing, and return it.

    The batch of an occurrence may be of nobody: it is done at once. If the quota does not suffice
    for it, it waits for a day that has room. Raises InvalidInput if the due times
    contradict each other, a word means no period, nobody is selected or too many are, there are
    too many recipients, or a frozen list was made for another request; NotFound if there is no
    such frozen list; OverQuota if the quota of the day does not suffice, or if the business stored
    too many batches or customers of batches today; TooManyOpen, TooManyWaiting and Busy.
    """
    is_occurrence = schedule is not None and schedule.day is not None
    async with conn.transaction():
        if not is_occurrence:
            await _take_turn(conn, business_id)
        draft = await drafted(conn, business_id, request, terms)
        if not is_occurrence and draft.open_batches >= OPEN_MAX:
            raise TooManyOpen
        if not is_occurrence:
            await daily_counts.count(conn, business_id, "batches")
        batch_id = uuid7()
        try:
            async with conn.transaction():
                customers = await _insert(conn, batch_id, draft, terms, trace, schedule)
        except OverQuota:
            if not is_occurrence:
                raise
            if draft.waiting_batches >= WAITING_MAX:
                raise TooManyWaiting from None
            customers = await _insert(conn, batch_id, draft, terms, trace, schedule, waits=True)
        if customers > CUSTOMERS_MAX:
            raise Invalid("filter", f"selects more than {CUSTOMERS_MAX} customers")
        if not customers and not is_occurrence:
            raise Invalid("filter", "selects no customer")
        return await store.one(conn, business_id, batch_id)


async def admit(conn: Connection, batch_id: UUID, terms: Terms) -> bool:
    """Make a batch that waits due now, if today has room for it; return whether it waits no more.

    Its recipients are counted anew, because addresses may have been added meanwhile.
    """
    async with conn.transaction():
        waiting = await conn.fetchrow(_queries.waiting, batch_id)
        if waiting is None:
            return True
        now: datetime = waiting["asked_at"]
        copies = len(stored_addresses(waiting["email"])) if waiting["copy_to_me"] else 0
        query = sql.call(
            sql.filled(_queries.admit, recipients=_queries.most_recipients),
            id=batch_id,
            business=waiting["business_id"],
            expires_at=terms.expiry(now),
            recipients_max=terms.max_recipients,
            shared=waiting["others"] + copies,
            daily_quota=terms.daily_quota,
        )
        try:
            with quota.enforced(now, now, terms.daily_quota):
                async with conn.transaction():
                    await conn.execute(*query)
        except OverQuota:
            return False
        return True


def most_recipients() -> str:
    """Return the SQL of the most recipients that a customer c can have.

    Its parameter is $shared: the recipients that all customers have.
    """
    return _queries.most_recipients


async def wait_for_turn(conn: Connection, business_id: int) -> None:
    """Wait until no other batch of the business is being accepted, and hold the turn.

    The turn ends with the transaction; accept() finds it taken by the same connection, and goes on.
    """
    await conn.execute(_queries.wait_for_turn, business_id)


async def _take_turn(conn: Connection, business_id: int) -> None:
    """Keep other batches of the business from being accepted until the transaction ends.

    Otherwise two at a time would both be the last one that may be open.
    """
    if not await conn.fetchval(_queries.hold_turn, business_id):
        raise Busy(
            "Another batch of the business is being accepted at the moment.",
            retry_after=timedelta(seconds=1),
        )


async def _insert(
    conn: Connection,
    batch_id: UUID,
    draft: Draft,
    terms: Terms,
    trace: Trace | None,
    schedule: MadeBy | None,
    *,
    waits: bool = False,
) -> int:
    """Store a batch with its customers, and return their number."""
    request, listed = draft.request, None
    phase: Literal["waiting", "scheduled", "expanding"] = (
        "waiting" if waits else "scheduled" if draft.due > draft.now else "expanding"
    )
    if request.frozen_list is not None:
        listed = await frozen_lists.hold(
            conn, draft.business_id, request, request.frozen_list, draft.period
        )
    day = schedule and schedule.day
    given = {
        "id": batch_id,
        "business": draft.business_id,
        "phase": phase,
        "start": draft.period.start.isoformat(),
        "end": draft.period.end.isoformat(),
        "filter": orjson.dumps(request.filters.given()).decode(),
        "personal_message": request.message,
        "other_emails": [address.email for address in request.others],
        "copy_to_me": request.copy_to_me,
        "statement_kind": request.kind,
        "locale": request.locale,
        "skip_empty": request.skip_empty,
        "min_balance": request.min_balance,
        "frozen_list": request.frozen_list,
        "schedule": schedule and schedule.schedule_id,
        "occurrence": day and day.isoformat(),
        "send_at": draft.due,
        "expires_at": draft.expires_at,
        "created_at": draft.now,
        "reason": _OVER_QUOTA if waits else None,
        "reason_code": ReasonCode.OVER_QUOTA if waits else None,
        "trace": trace and str(trace),
        "daily_quota": terms.daily_quota,
        "customers_max": CUSTOMERS_MAX,
        "customers_a_day": daily_counts.MOST["customers of batches"],
        "customers": listed and listed.customers,
        "recipients": listed and listed.recipients,
        "recipients_max": terms.max_recipients,
        "shared": draft.shared,
    }
    text, names = _statement(of_list=listed is not None)
    if listed is None:
        selected = ReportQuery(draft.business_id, draft.period)
        text = sql.filled(text, ids=chosen_ids(selected, request.filters))
    with quota.enforced(draft.now, draft.due, terms.daily_quota):
        stored = await conn.fetchrow(text, *(given[name] for name in names))
    if stored is not None and not stored["is_within"]:
        raise daily_counts.exceeded("customers of batches", draft.now)
    if listed is not None:
        await frozen_lists.use(conn, listed, batch_id)
    return 0 if stored is None else stored["customers"]


def _statement(*, of_list: bool) -> tuple[str, tuple[str, ...]]:
    """Return the statement that stores a batch, and the names of its arguments in order."""
    parts = {"counted_today": _queries.counted_today}
    if of_list:
        sized = sql.filled(_queries.of_list, **parts)
    else:
        parts |= {"recipients": _queries.most_recipients, "ids": "{ids}"}
        sized = sql.filled(_queries.of_filters, **parts)
    return sql.numbered(sql.filled(_queries.accept, sized=sized))
