"""Time limits for reading; other requests wait for the connection meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from services.api.core.refusals import Busy

_READ_S_MAX = 3.0  # seconds; a page comes from an index in milliseconds


@asynccontextmanager
async def promptly(
    seconds: float | None = None,
    what: str = "Reading this list",
    advice: str = "Use filters or a smaller limit.",
) -> AsyncIterator[None]:
    """Stop the body of the `async with` after so many seconds (None: 3). Raises Busy if it does."""
    seconds = _READ_S_MAX if seconds is None else seconds
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise Busy(
            f"{what} took more than {seconds:g} seconds and was stopped. {advice}",
            retry_after=timedelta(seconds=5),
        ) from None
