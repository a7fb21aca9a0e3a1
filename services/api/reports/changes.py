"""Which customers the last changes of a ledger were about."""

from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.reports")


async def changed_customers(
    conn: Connection, business_id: int, since: str
) -> frozenset[int] | None:
    """Return the customers that changed after the version `since`, or None if nobody knows.

    All other customers are as they were at that version, and the categories too.
    """
    before = _by_slot(since)
    changed: set[int] = set()
    for slot, version, changes in await conn.fetch(_queries.changes, business_id):
        known = before.pop(slot, 0)
        if known == version:
            continue
        versions, customers = changes[1::2], changes[2::2]
        if versions[-1:] != [version]:
            return None
        if known not in (*changes[:1], *versions):
            return None
        changed.update(
            customer for at, customer in zip(versions, customers, strict=True) if at > known
        )
    return None if before else frozenset(changed)


def _by_slot(version: str) -> dict[int, int]:
    """Return the version of each slot that the version of a ledger is made of."""
    if version == "0":
        return {}
    pairs = (each.split(".") for each in version.split("-"))
    return {int(slot): int(at) for slot, at in pairs}
