"""What the views read: one state of the ledger, by its version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from services.api.businesses import store as businesses
from services.api.businesses.model import Business
from services.api.http.appkeys import PRINCIPAL
from services.api.http.connections import connection
from services.api.reports import store as reports
from shared.db.postgres import Connection


@dataclass(frozen=True)
class State:
    """The state of the ledger that an answer shows: its version, and its business."""

    version: str
    business: Business


@dataclass(frozen=True)
class Snapshot(State):
    """A connection whose queries all see one state of the ledger."""

    conn: Connection


# One customer's records are found by index, however many it has. For thousands of documents the
# planner would read the payments of all customers, in several processes.
_OF_ONE_CUSTOMER = """
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
SET LOCAL max_parallel_workers_per_gather = 0
"""


@asynccontextmanager
async def snapshot_of_one(request: web.Request) -> AsyncIterator[Snapshot]:
    """Read the records of one customer within one snapshot."""
    async with snapshot(request) as at:
        await at.conn.execute(_OF_ONE_CUSTOMER)
        yield at


@asynccontextmanager
async def snapshot(request: web.Request) -> AsyncIterator[Snapshot]:
    """Read within one snapshot: none of the queries sees what others commit meanwhile."""
    async with (
        connection(request) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        business_id = request[PRINCIPAL].business_id
        version = await reports.version(conn, business_id)
        yield Snapshot(version, await businesses.business(conn, business_id), conn)
