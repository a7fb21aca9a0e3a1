"""How each of the relay's loops keeps going."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from shared.amqp import broker
from shared.db import postgres
from shared.process.health import Health, Unwell, told
from shared.process.trouble import Trouble

_log = structlog.get_logger("ledgerpost.relay")

Step = Callable[[], Awaitable[timedelta]]


@dataclass(frozen=True)
class Bell:
    """Calls a loop before its time; once `stop` is set, to let it end after the step at work."""

    stop: asyncio.Event
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Neighbours:
    """What the log says of the neighbours of all loops, so that an outage is told once for them."""

    postgres: Trouble = field(default_factory=lambda: Trouble("loops wait for postgres"))
    rabbitmq: Trouble = field(default_factory=lambda: Trouble("loops wait for rabbitmq"))

    def away(self, error: Exception) -> Trouble:
        """Return the trouble with the neighbour that is away by this error."""
        return self.postgres if postgres.is_away(error) else self.rabbitmq


async def keep(
    name: str,
    step: Step,
    bell: Bell,
    health: Health,
    pause: timedelta,
    neighbours: Neighbours,
) -> None:
    """Run `step` until the bell says stop: again after the time that it returns, or when it rings.

    A neighbour that is away is said in the health report, by one of the loops in the log, and tried
    again after `pause`; so is an unexpected error, because one bad row must not stop the others.
    """
    trouble: str | None = None
    away: Trouble | None = None

    async def check() -> None:
        if trouble is not None:
            raise Unwell(trouble)

    health.register(name, check)
    while not bell.stop.is_set():
        bell.wake.clear()
        try:
            wait = await step()
        except (*postgres.UNAVAILABLE, *broker.UNAVAILABLE) as error:
            away = neighbours.away(error)
            away.met(error, loop=name)
            trouble, wait = told(error), pause
        except Exception as error:  # noqa: BLE001 - one bad row must not stop the loop
            _log.exception("loop failed", loop=name)
            trouble, wait = type(error).__name__, pause
        else:
            if away is not None:
                away.over()
            trouble = away = None
        try:
            async with asyncio.timeout(wait.total_seconds()):
                await bell.wake.wait()
        except TimeoutError:
            continue
