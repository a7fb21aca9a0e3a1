"""A schedule is changed while a relay makes its batch; and days on which clocks change."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.api.core.refusals import NotFound
from services.api.schedules import changes, interruptions, making
from tests.services.api.locks import blocked
from tests.services.api.relay.scheduling import POLL, TERMS, World, opened


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with opened(database) as world:
        yield world


class Halted:
    """Holds a relay right after it made a batch, until the test lets it go on."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self.there, self.goes_on = asyncio.Event(), asyncio.Event()
        self._move_on = making.move_on
        patch.setattr(making, "move_on", self._hold)
        self.step = asyncio.create_task(world.relay().step())

    async def _hold(self, *given: Any) -> None:
        self.there.set()
        await self.goes_on.wait()
        await self._move_on(*given)


async def test_a_change_waits_for_the_relay_and_the_date_is_settled_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not on this weekday: the change below would find a later time today.
    weekday = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
    schedule = await world.create(rule={"every": "week", "weekday": weekday})
    day = await world.due_now(schedule)
    halted = Halted(world, monkeypatch)
    await halted.there.wait()
    # Every day of the week has the same date again, but later that day.
    changed = {"time": "23:59", "message": "New"}
    change = asyncio.create_task(changes.change(world.db, 1, schedule, changed, TERMS))
    await blocked(world.db, world.pool)
    halted.goes_on.set()
    await halted.step
    shown = await change
    assert shown.next is not None
    assert shown.next.occurrence == day + timedelta(days=7)
    (batch,) = await world.batches(schedule)
    assert batch["personal_message"] is None


async def test_a_relay_passes_over_a_schedule_that_is_being_changed(
    world: World, database: str
) -> None:
    schedule, other = await world.create(), await world.create()
    for each in (schedule, other):
        await world.due_now(each)
    conn = await asyncpg.connect(database)
    async with conn.transaction():
        await changes.change(conn, 1, schedule, {"message": "New"}, TERMS)
        await world.relay().step()
        assert len(await world.batches(other)) == 1
        assert await world.batches(schedule) == []
    await conn.close()
    await world.relay().step()
    (batch,) = await world.batches(schedule)
    assert batch["personal_message"] == "New"


async def test_what_is_due_already_is_made_though_the_rule_changes(world: World) -> None:
    """The relay was down for two weeks, and comes back after the change."""
    schedule = await world.create()
    first, _ = await world.due(schedule, 2)
    shown = await changes.change(world.db, 1, schedule, {"rule": {"weekday": "wed"}}, TERMS)
    assert shown.next is not None
    assert shown.next.occurrence == first
    await world.relay().step()
    made = [batch["occurrence"] for batch in await world.batches(schedule)]
    assert made[0] == first
    assert {day.weekday() for day in made[1:]} == {2}
    assert made[1] - first == timedelta(days=2)


async def test_a_pause_or_a_deletion_comes_before_the_batch_or_after_it(
    world: World, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for act in (interruptions.pause, changes.delete):
        schedule = await world.create()
        await world.due_now(schedule)
        with monkeypatch.context() as patch:
            halted = Halted(world, patch)
            await halted.there.wait()
            acting = asyncio.create_task(act(world.db, 1, schedule))  # type: ignore[operator]  # both take these
            await blocked(world.db, world.pool)
            halted.goes_on.set()
            await asyncio.gather(halted.step, acting)
        assert len(await world.batches(schedule)) == 1

        schedule = await world.create()
        await world.due_now(schedule)
        await act(world.db, 1, schedule)  # type: ignore[operator]  # both take these
        assert await world.relay().step() == POLL
        assert await world.batches(schedule) == []
    with pytest.raises(NotFound):
        await changes.delete(world.db, 1, schedule)


async def test_a_skip_while_the_relay_makes_it_skips_the_one_after(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = await world.create()
    day = await world.due_now(schedule)
    halted = Halted(world, monkeypatch)
    await halted.there.wait()
    skip = asyncio.create_task(interruptions.skip(world.db, 1, schedule, None))
    await blocked(world.db, world.pool)
    halted.goes_on.set()
    await asyncio.gather(halted.step, skip)
    assert await world.settled(schedule) == [*((day, "made"), (day + timedelta(days=7), "skipped"))]


@pytest.mark.parametrize(
    ("first", "instants"),
    [
        # Clocks go from 02:00 to 03:00 on 28 March.
        (date(2027, 3, 21), ["03-21T01:30", "03-28T01:00", "04-04T00:30"]),
        # Clocks go from 03:00 to 02:00 on 31 October: 02:30 comes twice, and counts once.
        (date(2027, 10, 24), ["10-24T00:30", "10-31T00:30", "11-07T01:30"]),
    ],
)
async def test_a_day_on_which_clocks_change_has_one_batch(
    world: World, first: date, instants: list[str]
) -> None:
    schedule = await world.create(
        rule={"every": "week", "weekday": "sun"}, time="02:30", starts_on=str(first)
    )
    for instant in instants:
        row = await world.row(schedule)
        assert row["next_at"] == datetime.fromisoformat(f"2027-{instant}+00:00").astimezone(UTC)
        await world.due_now(schedule)
        await world.relay().step()
    made = [batch["occurrence"] for batch in await world.batches(schedule)]
    assert made == [first + timedelta(days=7 * number) for number in range(3)]
