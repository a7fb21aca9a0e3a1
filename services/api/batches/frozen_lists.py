"""Frozen lists: what a dry run showed, for one request that sends exactly that.

A list is bound to its business, to the days of the period, to everything else that the dry run
asked for, and to the recipients of each customer. It is good for 24 hours, and for one batch.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel, ConfigDict, Field

from services.api.batches.history import CustomersQuery, place_of_customer
from services.api.batches.request import BatchRequest
from services.api.core.paging import Page, page_of
from services.api.core.refusals import FieldError, InvalidInput, NotFound
from services.api.core.timestamp import Timestamp
from services.api.core.uuid7 import uuid7
from services.api.idempotency.store import fingerprint
from services.api.sends.send import Id
from shared.db import sql
from shared.db.postgres import Connection
from shared.period import Period

LISTS_MAX: Final = 20  # of one business
_queries = sql.load("services.api.batches", "frozen_lists.sql")


class FrozenList(BaseModel):
    """A frozen list that a request for a batch may name."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[UUID, Field(description="What the request names as its `frozen_list`.")]
    expires_at: Annotated[Timestamp, Field(description="After this time the list is gone.")]


class ListedCustomer(BaseModel):
    """A customer on a frozen list."""

    model_config = ConfigDict(frozen=True)

    customer_id: Id
    business_name: Annotated[
        str | None, Field(description="As the ledger has it now; null if it has none.")
    ]
    recipients: Annotated[
        tuple[str, ...], Field(description="In lower case, their domains in ASCII.")
    ]


@dataclass(frozen=True)
class Held:
    """A list that is about to be used, locked until the transaction ends."""

    id: UUID
    customers: int
    recipients: int


async def create(
    conn: Connection, business_id: int, request: BatchRequest, period: Period
) -> FrozenList:
    """Store an empty list of what `request` asks for in the days of `period`."""
    list_id, asked = uuid7(), orjson.dumps(_asked(request, period)).decode()
    expires_at: datetime = await conn.fetchval(_queries.add_list, list_id, business_id, asked)
    return FrozenList(id=list_id, expires_at=expires_at)


async def add(conn: Connection, list_id: UUID, recipients: Mapping[int, Sequence[str]]) -> None:
    """Add customers to a list, each with its folded addresses in order."""
    rows = [(list_id, customer, list(keys)) for customer, keys in recipients.items()]
    await conn.executemany(_queries.add_customer, rows)


async def drop(conn: Connection, list_id: UUID) -> None:
    """Delete a list."""
    await conn.execute(_queries.drop, list_id)


async def drop_oldest(conn: Connection, business_id: int) -> None:
    """Delete the oldest lists of a business that has more than 20."""
    await conn.execute(_queries.drop_oldest, business_id, LISTS_MAX)


async def look(
    conn: Connection, business_id: int, request: BatchRequest, list_id: UUID, period: Period
) -> FrozenList:
    """Return a list that `request` names. Raises what `hold` raises."""
    found = _of(await conn.fetchrow(_queries.look, business_id, list_id), request, period)
    return FrozenList(id=list_id, expires_at=found["expires_at"])


async def hold(
    conn: Connection, business_id: int, request: BatchRequest, list_id: UUID, period: Period
) -> Held:
    """Lock a list that `request` names, so that one batch alone is made of it, and return it.

    Raises NotFound if the business has no such list, or it was used or has expired, and
    InvalidInput if the request asks for anything else than the dry run did.
    """
    _of(await conn.fetchrow(_queries.hold, business_id, list_id), request, period)
    customers, recipients = await conn.fetchrow(_queries.count, list_id) or (0, 0)
    return Held(list_id, customers, recipients)


async def use(conn: Connection, held: Held, batch_id: UUID) -> None:
    """Copy the customers of a list to a batch that is stored already, and delete the list."""
    await conn.execute(_queries.copy, held.id, batch_id)
    await drop(conn, held.id)


async def page(
    conn: Connection, business_id: int, list_id: UUID, query: CustomersQuery
) -> Page[ListedCustomer]:
    """Return a page of the customers of a list, by id.

    Raises NotFound if the business has no such list, or it was used or has expired, and Invalid if
    the cursor is none of this list.
    """
    if not await conn.fetchval(_queries.is_list, business_id, list_id):
        raise _none()
    after = query.after(list_id)
    rows = await conn.fetch(_queries.page, business_id, list_id, after, query.limit + 1)
    found = [ListedCustomer.model_validate(dict(row)) for row in rows]
    return page_of(found, query.limit, lambda last: place_of_customer(list_id, last.customer_id))


async def chunks(conn: Connection, list_id: UUID, size: int) -> AsyncIterator[dict[int, list[str]]]:
    """Yield the customers of a list in the order of their ids, each with its recipients."""
    after = -1
    while rows := await conn.fetch(_queries.some_customers, list_id, after, size):
        yield {row["customer_id"]: row["recipients"] for row in rows}
        after = rows[-1]["customer_id"]


def _of(row: asyncpg.Record | None, request: BatchRequest, period: Period) -> asyncpg.Record:
    """Return the row of a list, which was made for the same request."""
    if row is None:
        raise _none()
    asked, before = _asked(request, period), orjson.loads(row["asked"])
    changed = [name for name in asked if asked[name] != before[name]]
    if isinstance(request.period, str) and not {"from", "to"}.isdisjoint(changed):
        changed = ["period", *(name for name in changed if name not in {"from", "to"})]
    if changed:
        raise InvalidInput(
            FieldError(name, "differs from the dry run that made the frozen list")
            for name in changed
        )
    return row


def _none() -> NotFound:
    said = "There is no such frozen list; it may have been used, or have expired."
    return NotFound("frozen list", said=said)


def _asked(request: BatchRequest, period: Period) -> dict[str, str]:
    """Return a digest of each field of a request; what an absent field means counts."""
    meant: dict[str, Any] = {
        "from": str(period.start),
        "to": str(period.end),
        "filter": request.filters.given(),
        "message": request.message,
        "other_emails": [address.key for address in request.others],
        "copy_to_me": request.copy_to_me,
        "send_at": sorted(each.isoformat() for each in request.moments),
        "statement_kind": request.kind,
        "locale": request.locale,
        "skip_empty": request.skip_empty,
        "min_balance": request.least,
    }
    return {name: fingerprint(value).hex() for name, value in meant.items()}
