"""Dry runs: what a request for a batch would come to. Nothing of it is stored but a frozen list."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from typing import Final
from uuid import UUID

from services.api.batches import frozen_lists
from services.api.batches.accept import CUSTOMERS_MAX
from services.api.batches.decisions import Asked, Decision, decide
from services.api.batches.draft import Draft, drafted
from services.api.batches.estimate import Mails, Rates, estimated_seconds, waiting
from services.api.batches.frozen_lists import FrozenList
from services.api.batches.model import PlannedCustomer
from services.api.batches.planned import DryRun, QuotaRoom
from services.api.batches.request import BatchRequest
from services.api.core.refusals import Busy, Invalid
from services.api.reports.listing.query import chosen_ids
from services.api.reports.model import ReportQuery
from services.api.sends import quota
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection

_AT_ONCE: Final = 200  # customers that are decided together, so that memory does not grow
_SHOWN: Final = 50  # customers of each kind in an answer
_queries = sql.load("services.api.batches", "dry_run.sql")


class _Tally:
    """What the decisions come to, as far as an answer shows it."""

    def __init__(self) -> None:
        self.customers = 0
        self.mails = Mails()
        self.skipped: Counter[str] = Counter()
        self._mailed: list[PlannedCustomer] = []
        self._left_out: list[PlannedCustomer] = []

    def add(self, decisions: Sequence[Decision]) -> None:
        """Count the decisions."""
        self.customers += len(decisions)
        for decision in decisions:
            if decision.to is None:
                self.skipped[str(decision.reason_code)] += 1
                shown = self._left_out
            else:
                for address in decision.to.addresses:
                    self.mails.add(address.key.rpartition("@")[2])
                shown = self._mailed
            if len(shown) < _SHOWN:
                shown.append(_planned(decision))

    @property
    def first(self) -> tuple[PlannedCustomer, ...]:
        """The first customers who would receive the statement, and then the first skipped ones."""
        return (*self._mailed, *self._left_out)


async def dry_run(
    conn: Connection, business_id: int, request: BatchRequest, terms: Terms, rates: Rates
) -> DryRun:
    """Return the batch that `accept` would make now, with a frozen list of its recipients.

    A request that names a frozen list shows what would come of that list now. All figures are of
    one snapshot of the ledger. Raises what `accept` raises, except that no quota is enforced, and
    Busy while another dry run of the business is under way.
    """
    async with conn.transaction(isolation="repeatable_read"):
        if not await conn.fetchval(_queries.hold_turn, business_id):
            raise Busy(
                "Another dry run of the business is under way.", retry_after=timedelta(seconds=1)
            )
        draft = await drafted(conn, business_id, request, terms)
        if request.frozen_list is None:
            tally, listed = await _selected(conn, draft, terms)
        else:
            tally, listed = await _listed(conn, draft, request.frozen_list, terms)
        before = await waiting(conn, business_id, draft.due)
        room = await _room(conn, draft, terms, tally.mails.number)
    await frozen_lists.drop_oldest(conn, business_id)
    seconds = estimated_seconds(tally.mails, before, rates, now=draft.now, due=draft.due)
    return DryRun(
        start=draft.period.start,
        end=draft.period.end,
        send_at=draft.due,
        expires_at=draft.expires_at,
        customers=tally.customers,
        recipients=tally.mails.number,
        skipped=tally.skipped,
        estimated_seconds=seconds,
        quota=room,
        frozen_list=listed,
        data=tally.first,
    )


async def _selected(
    conn: Connection, draft: Draft, terms: Terms
) -> tuple[_Tally, FrozenList | None]:
    """Decide for the customers whom the filters select, and make a list of who gets a mail.

    The list is kept if there is such a customer, and if a day can have room for all.
    """
    tally, request = _Tally(), draft.request
    listed = await frozen_lists.create(conn, draft.business_id, request, draft.period)
    selected = chosen_ids(ReportQuery(draft.business_id, draft.period), request.filters)
    ids = await conn.cursor(sql.filled(_queries.in_order, ids=selected))
    while rows := await ids.fetch(_AT_ONCE):
        decisions = await decide(conn, _asked(draft), terms, [row["id"] for row in rows])
        tally.add(decisions)
        if tally.customers > CUSTOMERS_MAX:
            raise Invalid("filter", f"selects more than {CUSTOMERS_MAX} customers")
        if tally.mails.number <= terms.daily_quota:
            await frozen_lists.add(conn, listed.id, _recipients(decisions))
    if not tally.customers:
        raise Invalid("filter", "selects no customer")
    if 0 < tally.mails.number <= terms.daily_quota:
        return tally, listed
    await frozen_lists.drop(conn, listed.id)
    return tally, None


async def _listed(
    conn: Connection, draft: Draft, list_id: UUID, terms: Terms
) -> tuple[_Tally, FrozenList]:
    """Decide for the customers of a list that was made before."""
    tally = _Tally()
    listed = await frozen_lists.look(conn, draft.business_id, draft.request, list_id, draft.period)
    async for frozen in frozen_lists.chunks(conn, list_id, _AT_ONCE):
        tally.add(await decide(conn, _asked(draft), terms, list(frozen), frozen))
    return tally, listed


def _asked(draft: Draft) -> Asked:
    request = draft.request
    return Asked(
        business_id=draft.business_id,
        period=draft.period,
        kind=request.kind,
        others=request.others,
        copy_to_me=request.copy_to_me,
        skip_empty=request.skip_empty,
        min_balance=request.min_balance,
    )


def _recipients(decisions: Iterable[Decision]) -> dict[int, list[str]]:
    """Return the folded addresses of each customer who gets a mail."""
    return {
        each.customer_id: [address.key for address in each.to.addresses]
        for each in decisions
        if each.to is not None
    }


def _planned(decision: Decision) -> PlannedCustomer:
    to = decision.to
    return PlannedCustomer(
        customer_id=decision.customer_id,
        business_name=decision.business_name,
        recipients=tuple(address.email for address in to.addresses) if to else (),
        skipped=to.skipped if to else decision.skipped,
        reason=decision.reason,
        reason_code=decision.reason_code,
    )


async def _room(conn: Connection, draft: Draft, terms: Terms, needed: int) -> QuotaRoom:
    charged = await conn.fetchrow(_queries.charged, draft.business_id, draft.due)
    due, accepted = charged or (0, 0)
    left = quota.left(terms.daily_quota, due=int(due), accepted=int(accepted))
    return QuotaRoom(
        day=draft.due.astimezone(UTC).date(),
        limit=terms.daily_quota,
        left=left,
        needed=needed,
        suffices=needed <= left,
    )
