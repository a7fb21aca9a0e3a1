"""The rows of returned mails: the columns of new ones, and the first rows of copies."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from shared.db import sql
from shared.db.postgres import Connection
from shared.returns import parts

if TYPE_CHECKING:
    from shared.returns.intake import Read

_QUERIES = sql.load("shared.returns")


def columns(mails: Mapping[UUID, "Read"]) -> dict[str, list[object]]:
    """Return the parameters of the query `add`, one for each column."""
    incoming = [each.incoming for each in mails.values()]
    verdicts = [each.understood.verdict for each in mails.values()]
    return {
        "ids": list(mails),
        "businesses": [each.business_id for each in incoming],
        "deliveries": [each.found and each.found.delivery_id for each in mails.values()],
        "sources": [each.source for each in incoming],
        "recipients": [each.recipient for each in incoming],
        "hashes": [each.understood.sha256 for each in mails.values()],
        "raws": [each.raw[: parts.BYTES_MAX] for each in incoming],
        "sizes": [len(each.raw) if each.size is None else each.size for each in incoming],
        "kinds": [each.kind for each in verdicts],
        "scopes": [each.scope for each in verdicts],
        "are_permanent": [each.is_permanent for each in verdicts],
        "statuses": [each.status for each in verdicts],
        "diagnostics": [each.diagnostic for each in verdicts],
        "remote_mtas": [each.remote_mta for each in verdicts],
        "forms": [each.form for each in verdicts],
    }


async def first(conn: Connection, copies: Mapping[UUID, "Read"]) -> dict[UUID, UUID]:
    """Return for each copy the return that was stored before. Raises SerializationError."""
    if not copies:
        return {}
    hashes = {
        each.found.delivery_id: each.understood.sha256
        for each in copies.values()
        if each.found is not None
    }
    rows = await conn.fetch(_QUERIES.first_of_deliveries, list(hashes), list(hashes.values()))
    of_deliveries = {row["delivery_id"]: row["id"] for row in rows}
    found: dict[UUID, UUID] = {}
    for number, copy in copies.items():
        stored = (
            of_deliveries.get(copy.found.delivery_id)
            if copy.found is not None
            else await conn.fetchval(
                _QUERIES.first_unmatched,
                copy.incoming.business_id,
                copy.understood.sha256,
                copy.incoming.recipient,
            )
        )
        if not isinstance(stored, UUID):  # it was deleted in between
            raise asyncpg.SerializationError("the first copy of a returned mail is gone")
        found[number] = stored
    return found
