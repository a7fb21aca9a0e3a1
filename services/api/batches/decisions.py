"""Decides for customers of a batch who receives the statement, and who is skipped and why.

A dry run and the expansion of a batch decide by this code alone, so that they agree.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import asyncpg

from services.api.batches.shown import Shown, shown
from services.api.core.refusals import Invalid
from services.api.sends.plan import suppressions
from services.api.sends.recipients import Candidates, Recipients, Suppressed, skipped_addresses
from services.api.sends.send import Skipped
from services.api.sends.terms import Terms
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.mail.address import Address
from shared.period import Period
from shared.statements.model import Kind
from shared.text import cut

_queries = sql.load("services.api.batches", "decisions.sql")

_LONGEST_REASON = 250  # characters; each customer of a batch may have one
_AT_ONCE = 20  # customers whose addresses are read before others have a turn


@dataclass(frozen=True)
class Asked:
    """What a batch asks for that decides about its customers."""

    business_id: int
    period: Period
    kind: Kind | None
    others: tuple[Address, ...]
    copy_to_me: bool
    skip_empty: bool
    min_balance: Decimal | None


@dataclass(frozen=True)
class Decision:
    """One customer's recipients, or the reason to skip the customer; exactly one of both is there.

    The recipients may have skipped addresses beside them, as a single send has. Of a customer who
    is skipped, `skipped` has the own addresses that could not be mailed.
    """

    customer_id: int
    business_name: str | None
    to: Recipients | None
    reason: str | None = None
    reason_code: str | None = None
    skipped: tuple[Skipped, ...] = ()


class _Why(NamedTuple):
    """Why a customer is skipped."""

    code: str
    reason: str


_DELETED = _Why(ReasonCode.CUSTOMER_DELETED, "the customer is not in the ledger any more")
_DELETED_SINCE = _Why(
    ReasonCode.AUDIENCE_CHANGED, "the customer has been deleted since the list was made"
)
_CHANGED = _Why(
    ReasonCode.AUDIENCE_CHANGED, "the recipients are not those of the frozen list any more"
)
_EMPTY = _Why(
    ReasonCode.STATEMENT_EMPTY, "the statement would show no transaction, no open item, no balance"
)
_NO_ADDRESS = "the customer has no e-mail address"


@dataclass(frozen=True)
class _Addresses:
    """The addresses of some customers: their own, all to be mailed, and the suppressed ones."""

    own: Mapping[int, Candidates]
    all: Mapping[int, Candidates]
    suppressed: Mapping[str, Suppressed]


async def decide(
    conn: Connection,
    asked: Asked,
    terms: Terms,
    customers: Sequence[int],
    frozen: Mapping[int, Sequence[str]] | None = None,
) -> list[Decision]:
    """Return a decision for each of these customers, in their order, as the ledger is now.

    At most a few hundred customers at once: their statements are not made, but their balances and
    addresses are read together. A customer without an own address that may be mailed is skipped,
    even if other addresses or a copy were asked for. `frozen` has the folded addresses of a frozen
    list: a customer who would have other recipients now, or none, is skipped as `audience_changed`.
    A customer who is not in the ledger any more is skipped as `customer_deleted`, or as
    `audience_changed` if there is a frozen list.
    """
    sender = await conn.fetchrow(_queries.sender, asked.business_id)
    rows = await conn.fetch(_queries.customers, asked.business_id, customers)
    found = {row["id"]: row for row in rows}
    addresses = await _addresses(conn, asked, sender, found)
    statements: Mapping[int, Shown] = {}
    if sender and found and (asked.skip_empty or asked.min_balance is not None):
        kind = asked.kind or sender["kind"]
        statements = await shown(conn, asked.business_id, list(found), asked.period, kind)

    def decision(customer: int) -> Decision:
        if customer not in found:
            why = _DELETED if frozen is None else _DELETED_SINCE
            return Decision(customer, None, None, why.reason, why.code)
        to: Recipients | _Why = _recipients(addresses, customer, terms)
        if frozen is not None and not _is_unchanged(to, frozen.get(customer)):
            to = _CHANGED
        if isinstance(to, Recipients) and (statement := statements.get(customer)) is not None:
            to = _objection(asked, statement) or to
        name = found[customer]["business_name"]
        if isinstance(to, Recipients):
            return Decision(customer, name, to)
        skipped = skipped_addresses(addresses.own[customer], addresses.suppressed)
        return Decision(customer, name, None, to.reason, to.code, skipped)

    return [decision(customer) for customer in customers]


async def _addresses(
    conn: Connection,
    asked: Asked,
    sender: asyncpg.Record | None,
    customers: Mapping[int, asyncpg.Record],
) -> _Addresses:
    for_all = Candidates.gather(
        customer=None,
        others=asked.others,
        business=None if sender is None else sender["email"],
        copy_to_me=asked.copy_to_me,
    )
    own: dict[int, Candidates] = {}
    for customer, row in customers.items():
        if len(own) % _AT_ONCE == 0:
            await asyncio.sleep(0)
        own[customer] = Candidates.gather(
            customer=row["email"], others=(), business=None, copy_to_me=False
        )
    all_of = {customer: each.and_then(for_all) for customer, each in own.items()}
    suppressed: Mapping[str, Suppressed] = {}
    if sender and sender["suppresses"]:
        named = {address.key: address for each in all_of.values() for address in each.addresses}
        suppressed = await suppressions(conn, asked.business_id, named.values())
    return _Addresses(own, all_of, suppressed)


def _recipients(addresses: _Addresses, customer: int, terms: Terms) -> Recipients | _Why:
    own, suppressed = addresses.own[customer], addresses.suppressed
    if all(address.key in suppressed for address in own.addresses):  # or there is none
        return _without_address(own, suppressed)
    try:
        return Recipients.choose(addresses.all[customer], suppressed, limit=terms.max_recipients)
    except Invalid as error:
        reason = f"too many recipients: {error.errors[0].message}"
        return _Why(ReasonCode.TOO_MANY_RECIPIENTS, cut(reason, _LONGEST_REASON))


def _without_address(own: Candidates, suppressed: Mapping[str, Suppressed]) -> _Why:
    """Return why none of a customer's addresses is left; it names none of them.

    The code is that of the first suppression, if there is an address that could be mailed without.
    """
    codes = [suppressed[address.key].code for address in own.addresses]
    reasons = [skipped.reason for skipped in own.malformed]
    reasons += [f"suppressed: {suppressed[address.key].reason}" for address in own.addresses]
    said = "no address is left: " + "; ".join(dict.fromkeys(reasons)) if reasons else _NO_ADDRESS
    return _Why(codes[0] if codes else ReasonCode.NO_ADDRESS, cut(said, _LONGEST_REASON))


def _is_unchanged(to: Recipients | _Why, frozen: Iterable[str] | None) -> bool:
    if frozen is None or not isinstance(to, Recipients):
        return False
    return {address.key for address in to.addresses} == set(frozen)


def _objection(asked: Asked, statement: Shown) -> _Why | None:
    """Return why this statement is not mailed, or None if it is."""
    if asked.skip_empty and statement.is_empty:
        return _EMPTY
    if asked.min_balance is not None and statement.closing_balance < asked.min_balance:
        least = f"the closing balance is below {asked.min_balance.normalize():f}"
        return _Why(ReasonCode.BALANCE_TOO_SMALL, least)
    return None
