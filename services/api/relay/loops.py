"""Runs the loops of the relay, and reports their trouble."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from shared.amqp import broker
from shared.db import postgres
from shared.process.health import Health, Unwell, public_text
from shared.process.trouble import Trouble

_log = structlog.get_logger("ledgerpost.relay")

Step = Callable[[], Awaitable[timedelta]]


@dataclass(frozen=True)
class Bell:
    """Wakes a loop before its time; once `stop` is set, the loop ends after the current step."""

    stop: asyncio.Event
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Neighbours:
    """The outages of Postgres and RabbitMQ, shared by all loops so that each is logged once."""

    postgres: Trouble = field(default_factory=lambda: Trouble("loops_wait_for_postgres"))
    rabbitmq: Trouble = field(default_factory=lambda: Trouble("loops_wait_for_rabbitmq"))

    def away(self, error: Exception) -> Trouble:
        """Return the trouble of the resource that this error shows to be unavailable."""
        return self.postgres if postgres.is_away(error) else self.rabbitmq


async def run_forever(
    name: str,
    step: Step,
    bell: Bell,
    health: Health,
    pause: timedelta,
    neighbours: Neighbours,
) -> None:
    """Run `step` until the bell is stopped: again after the time that it returns, or when woken.

    If Postgres or RabbitMQ is unavailable, the health report shows it, one of the loops logs it,
    and the step is tried again after `pause`. The same is done after an unexpected error, because
    one bad row must not stop the others.
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
            trouble, wait = public_text(error), pause
        except Exception as error:  # noqa: BLE001 - one bad row must not stop the loop
            _log.exception("loop_failed", loop=name)
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
