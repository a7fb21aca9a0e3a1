"""Sets gauges every few seconds: one worker answers Prometheus, and cannot ask the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

#: Seconds between two looks; Prometheus asks less often.
EVERY_S: Final = 2.0

_log = structlog.get_logger("ledgerpost.sampling")


@asynccontextmanager
async def sampling(*looks: Callable[[], None]) -> AsyncIterator[None]:
    """Call each of `looks` at once and every two seconds within the `async with`."""
    task = asyncio.create_task(_run(looks))
    try:
        yield
    finally:
        task.cancel()


async def _run(looks: tuple[Callable[[], None], ...]) -> None:
    while True:
        for look in looks:
            try:
                look()
            except Exception:  # noqa: BLE001 - a figure that is missing must not stop the others
                _log.exception("gauge_not_set")
        await asyncio.sleep(EVERY_S)
