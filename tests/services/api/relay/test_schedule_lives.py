"""Random lives of schedules, compared with a calendar on which each date has one outcome at most.

Time passes by whole weeks: every date that is stored is put back by as much.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.api.core.refusals import Conflict
from services.api.schedules import changes, interruptions, store
from tests.services.api.relay.scheduling import TERMS, World, opened

WEEK = timedelta(days=7)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SHIFTS = (
    (
        "UPDATE schedules SET next_on = next_on - $1::int,"
        " next_at = next_at - $1 * interval '1 day', due_at = due_at - $1 * interval '1 day',"
        " starts_on = starts_on - $1::int"
    ),
    # In two steps, so that no date is that of another one in between.
    "UPDATE schedule_occurrences SET occurrence = occurrence + 100000",
    "UPDATE schedule_occurrences SET occurrence = occurrence - 100000 - $1::int",
    "UPDATE batches SET occurrence = occurrence + 100000",
    "UPDATE batches SET occurrence = occurrence - 100000 - $1::int",
)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with opened(database) as world:
        yield world


@dataclass
class Calendar:
    """What should have become of each date; it knows no next occurrence."""

    first: date
    catches_up: bool
    today: date
    paused: bool = False
    outcomes: dict[date, str] = field(default_factory=dict)

    def open(self) -> date:
        day = self.first
        while day in self.outcomes:
            day += WEEK
        return day

    def settle_all(self, outcome: str) -> None:
        day = self.first
        while day <= self.today:
            self.outcomes.setdefault(day, outcome)
            day += WEEK

    def step(self) -> None:
        if not self.paused:
            self.settle_all("made" if self.catches_up else "skipped")

    def resume(self) -> None:
        if self.paused:
            self.settle_all("paused")
        self.paused = False


class Life:
    """A weekly schedule whose next date is three days from now, and its calendar."""

    def __init__(self, world: World, schedule: UUID, calendar: Calendar) -> None:
        self.world, self.schedule, self.calendar = world, schedule, calendar
        self._relays = [world.relay() for _ in range(2)]
        self._passed = 0

    async def act(self, chance: random.Random) -> str:
        what = chance.choice(("pass", "pass", "step", "step", "pause", "resume", "skip", "change"))
        await getattr(self, f"_{what}")(chance)
        return what

    async def _pass(self, chance: random.Random) -> None:
        weeks = chance.randint(1, 3)
        for shift in SHIFTS:
            await self.world.db.execute(shift, *([7 * weeks] if "$1" in shift else []))
        self._passed += 7 * weeks
        self.calendar.today += weeks * WEEK

    async def _step(self, chance: random.Random) -> None:
        await chance.choice(self._relays).step()
        self.calendar.step()

    async def _pause(self, _: random.Random) -> None:
        await interruptions.pause(self.world.db, 1, self.schedule)
        self.calendar.paused = True

    async def _resume(self, _: random.Random) -> None:
        await interruptions.resume(self.world.db, 1, self.schedule)
        self.calendar.resume()

    async def _skip(self, chance: random.Random) -> None:
        day = self.calendar.open() + chance.choice((0, 0, 1, 2, 5)) * WEEK
        given = None if day == self.calendar.open() else day - timedelta(days=self._passed)
        if self.calendar.paused:
            with pytest.raises(Conflict):
                await interruptions.skip(self.world.db, 1, self.schedule, given)
            return
        await interruptions.skip(self.world.db, 1, self.schedule, given)
        self.calendar.outcomes.setdefault(day, "skipped")

    async def _change(self, chance: random.Random) -> None:
        changed: dict[str, Any] = {"message": str(chance.random())}
        await changes.change(self.world.db, 1, self.schedule, changed, TERMS)

    async def check(self, story: list[str]) -> None:
        passed = timedelta(days=self._passed)
        settled = {day + passed: what for day, what in await self.world.settled(self.schedule)}
        assert settled == self.calendar.outcomes, story
        made = sorted(day for day, what in settled.items() if what == "made")
        batches = await self.world.batches(self.schedule)
        assert [batch["occurrence"] + passed for batch in batches] == made, story
        shown = store.shown(await store.one(self.world.db, 1, self.schedule))
        assert (shown.status == "paused") == self.calendar.paused, story
        if not self.calendar.paused:
            assert shown.next is not None
            assert shown.next.occurrence + passed == self.calendar.open(), story


async def test_each_date_has_the_outcome_that_the_calendar_gives_it(world: World) -> None:
    first = datetime.now(UTC).date() + timedelta(days=3)
    for seed in range(10):
        chance = random.Random(seed)
        catches_up = chance.random() < 0.7
        schedule = await world.create(
            rule={"every": "week", "weekday": WEEKDAYS[first.weekday()]},
            timezone="UTC",
            time="12:00",
            catch_up="send-late" if catches_up else "skip",
            filter={"id": [4]},
        )
        life = Life(world, schedule, Calendar(first, catches_up, first - timedelta(days=3)))
        story = [f"seed {seed}"]
        for _ in range(15):
            story.append(await life.act(chance))
            await life.check(story)
        await world.db.execute("DELETE FROM schedules; DELETE FROM batches")
