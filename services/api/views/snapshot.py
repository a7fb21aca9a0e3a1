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
class Snapshot:
    """A connection whose queries all see one state of the ledger, its version and its business."""

    conn: Connection
    version: str
    business: Business


@asynccontextmanager
async def snapshot(request: web.Request) -> AsyncIterator[Snapshot]:
    """Read within one snapshot: none of the queries sees what others commit meanwhile."""
    async with (
        connection(request) as conn,
        conn.transaction(isolation="repeatable_read", readonly=True),
    ):
        business_id = request[PRINCIPAL].business_id
        version = await reports.version(conn, business_id)
        yield Snapshot(conn, version, await businesses.business(conn, business_id))
