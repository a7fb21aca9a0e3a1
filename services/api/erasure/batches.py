"""Removes the personal data of a customer or an address from batches and schedules."""

from collections.abc import Sequence

import asyncpg

from services.api.core.refusals import Conflict
from services.api.erasure.model import Whom, standing_alone
from shared.db import sql

_QUERIES = sql.load("services.api.erasure", "batches.sql")


async def stop_waiting(conn: asyncpg.Connection, whom: Whom) -> None:
    """Let no batch make a send for the customer any more."""
    if whom.customer_id is not None:
        await conn.execute(_QUERIES.stop_waiting, whom.business_id, whom.customer_id)


async def check(conn: asyncpg.Connection, whom: Whom) -> None:
    """Raise Conflict if a batch will still make a send for the customer."""
    if whom.customer_id is None:
        return
    if await conn.fetchval(_QUERIES.waits, whom.business_id, whom.customer_id):
        raise Conflict("The customer waits in a batch. Cancel it (--cancel) first, or wait.")


async def erase(conn: asyncpg.Connection, whom: Whom, addresses: Sequence[str]) -> int:
    """Remove the customer's addresses, or the one address; return the number of rows changed.

    An erased address receives nothing of later steps of a batch, and of no later occurrence.
    """
    business, customer = whom.business_id, whom.customer_id
    statuses = [
        await conn.execute(_QUERIES.erase_listed, business, customer, addresses),
        await conn.execute(_QUERIES.erase_recipients, business, addresses),
    ]
    statuses += [
        await conn.execute(_QUERIES.mask_reasons, business, each, standing_alone(each))
        for each in addresses
    ]
    for requests in ("batches", "schedules"):
        query = sql.filled(_QUERIES.erase_requests, requests=requests)
        statuses.append(await conn.execute(query, business, addresses))
    if customer is not None:
        statuses.append(await conn.execute(_QUERIES.erase_customers, business, customer))
        statuses.append(await conn.execute(_QUERIES.erase_message, business, customer))
    return sum(int(status.rpartition(" ")[2]) for status in statuses)
