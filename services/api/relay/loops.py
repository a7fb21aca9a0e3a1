"""How each of the relay's loops keeps going."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from shared import broker, postgres
from shared.health import Health, Unwell, told

_log = structlog.get_logger("ledgerpost.relay")

Step = Callable[[], Awaitable[timedelta]]


@dataclass(frozen=True)
class Bell:
    """Calls a loop before its time; once `stop` is set, to let it end after the step at work."""

    stop: asyncio.Event
    wake: asyncio.Event = field(default_factory=asyncio.Event)


async def keep(name: str, step: Step, bell: Bell, health: Health, pause: timedelta) -> None:
    """Run `step` until the bell says stop: again after the time that it returns, or when it rings.

    A neighbour that is away is said once in the log and in the health report, and tried again
    after `pause`; so is an unexpected error, because one bad row must not stop the others.
    """
    trouble: str | None = None

    async def check() -> None:
        if trouble is not None:
            raise Unwell(trouble)

    health.register(name, check)
    while not bell.stop.is_set():
        bell.wake.clear()
        try:
            wait = await step()
        except (*postgres.UNAVAILABLE, *broker.UNAVAILABLE) as error:
            if trouble is None:
                _log.warning("loop waits for its neighbour", loop=name, error=repr(error))
            trouble, wait = told(error), pause
        except Exception as error:  # noqa: BLE001 - one bad row must not stop the loop
            _log.exception("loop failed", loop=name)
            trouble, wait = type(error).__name__, pause
        else:
            if trouble is not None:
                _log.info("loop goes on", loop=name)
            trouble = None
        try:
            async with asyncio.timeout(wait.total_seconds()):
                await bell.wake.wait()
        except TimeoutError:
            continue
