"""The time limit for reading a list; other requests wait for the connection meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from services.api.core.refusals import Busy

_READ_S_MAX = 3.0  # seconds; a page comes from an index in milliseconds


@asynccontextmanager
async def promptly() -> AsyncIterator[None]:
    """Stop the body of the `async with` after 3 seconds. Raises Busy if that happens."""
    try:
        async with asyncio.timeout(_READ_S_MAX) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise Busy(
            f"Reading this list took more than {_READ_S_MAX:g} seconds and was stopped."
            " Use filters or a smaller limit.",
            retry_after=timedelta(seconds=5),
        ) from None
