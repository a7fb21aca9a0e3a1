"""What views read of a ledger, for further requests while the ledger is the same."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from services.api.http.appkeys import LEDGER_VERSION
from services.api.http.periods import requested_business
from services.api.reports.listing.handlers import list_cache
from services.api.views.snapshot import Snapshot, State, snapshot, snapshot_of_one

Value = TypeVar("Value")


async def read(
    request: web.Request,
    key: str,
    kind: type[Value],
    work: Callable[[Snapshot], Awaitable[Value]],
    size: Callable[[Value], int],
    *,
    of_one: bool = False,
) -> tuple[Value, State]:
    """Return what `work` reads in a snapshot, or what it read before at the same version.

    `key` says what is read, and of which business; `size` is about the memory that it takes. It is
    `of_one` customer if `work` reads the customer's records.
    """
    cache, version = list_cache(request), request.get(LEDGER_VERSION)
    known = None if version is None else cache.get(key, version)
    if version is not None and isinstance(known, kind):
        return known, State(version, await requested_business(request))
    async with snapshot_of_one(request) if of_one else snapshot(request) as at:
        found = await work(at)
    cache.put(key, at.version, found, len(key) + size(found))
    return found, State(at.version, at.business)
