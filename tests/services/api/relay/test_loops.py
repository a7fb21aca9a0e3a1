"""A loop of the relay survives all errors of its steps."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from aiormq.exceptions import AMQPConnectionError

from services.api.relay.loops import Bell, Neighbours, run_forever
from shared.process.health import Health
from tests.logged import Logged

_AT_ONCE, _NEVER = timedelta(0), timedelta(hours=1)


class Steps:
    """A step that raises its errors one after the other, and then does nothing for an hour."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.done = 0

    async def __call__(self) -> timedelta:
        if self.errors:
            raise self.errors.pop(0)
        self.done += 1
        return _NEVER


@asynccontextmanager
async def kept(
    steps: Steps, pause: timedelta = _AT_ONCE, neighbours: Neighbours | None = None
) -> AsyncIterator[tuple[Bell, Health]]:
    bell, health = Bell(asyncio.Event()), Health()
    loop = asyncio.create_task(
        run_forever("loop", steps, bell, health, pause, neighbours or Neighbours())
    )
    yield bell, health
    bell.stop.set()
    bell.wake.set()
    async with asyncio.timeout(180):
        await loop


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(180):
        while not holds():
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("of one bad row"), ConnectionRefusedError("away"), TimeoutError()]
)
async def test_an_error_does_not_end_it(error: Exception) -> None:
    steps = Steps(error, error, error)
    async with kept(steps) as (_, health):
        await until(lambda: steps.done == 1)
        assert await health.report() == {"loop": "ok"}


async def test_trouble_is_in_the_health_report_until_a_step_is_done() -> None:
    steps = Steps(ZeroDivisionError("of one bad row"), ConnectionRefusedError("away"))
    async with kept(steps, pause=_NEVER) as (bell, health):
        await until(lambda: len(steps.errors) == 1)
        await asyncio.sleep(0)
        assert await health.report() == {"loop": "ZeroDivisionError"}
        bell.wake.set()
        await until(lambda: not steps.errors)
        await asyncio.sleep(0)
        assert await health.report() == {"loop": "ConnectionRefusedError"}
        bell.wake.set()
        await until(lambda: steps.done == 1)
        await asyncio.sleep(0)
        assert await health.report() == {"loop": "ok"}


async def test_an_outage_of_a_neighbour_is_told_once_for_all_loops(logged: Logged) -> None:
    neighbours, tries = Neighbours(), 40
    several = [Steps(*(AMQPConnectionError("away") for _ in range(tries))) for _ in range(4)]
    async with AsyncExitStack() as stack:
        for steps in several:
            await stack.enter_async_context(kept(steps, neighbours=neighbours))
        for steps in several:
            await until(lambda steps=steps: steps.done == 1)  # type: ignore[misc]  # bound
    lines = [line for line in logged() if line["logger"].startswith("ledgerpost.")]
    events = [line["event"] for line in lines]
    assert events == ["loops_wait_for_rabbitmq", "loops_wait_for_rabbitmq_over"]


async def test_it_comes_again_when_it_is_called() -> None:
    steps = Steps()
    async with kept(steps) as (bell, _):
        for times in range(1, 4):
            await until(lambda times=times: steps.done == times)  # type: ignore[misc]  # bound
            await asyncio.sleep(0)
            bell.wake.set()
