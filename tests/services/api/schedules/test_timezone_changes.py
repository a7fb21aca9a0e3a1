"""Stored instants follow the database of time zones, on a real Postgres."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from services.api.schedules import timezone_changes
from tests.services.api.relay.scheduling import World, opened

HOUR = timedelta(hours=1)
# As an older release had it, in which the clocks were an hour off on that day.
EARLIER = "UPDATE schedules SET next_at = next_at + $2, due_at = due_at + $2 WHERE id = $1"


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with opened(database) as world:
        yield world


async def yearly(world: World, **changed: object) -> UUID:
    """A schedule that is due in March of some year, so later than this hour."""
    rule = {"every": "year", "month": 3, "weekday": "wed", "nth": 2}
    return await world.create(rule=rule, starts_on="2090-01-01", **changed)


async def test_an_instant_follows_its_zone_whenever_a_relay_begins(world: World) -> None:
    ahead, behind, same = [await yearly(world) for _ in range(3)]
    right = [await world.row(each) for each in (ahead, behind, same)]
    await world.db.execute(EARLIER, ahead, HOUR)
    await world.db.execute(EARLIER, behind, -HOUR)
    await world.relay().step()
    assert [await world.row(each) for each in (ahead, behind, same)] == right
    assert await timezone_changes.follow(world.db) == 0


async def test_all_are_looked_at_in_pieces(world: World) -> None:
    schedules = [await yearly(world, name=f"number {number}") for number in range(7)]
    for each in schedules:
        await world.db.execute(EARLIER, each, HOUR)
    assert await timezone_changes.follow(world.db, at_once=3) == 7


async def test_one_that_was_put_off_is_not_tried_before(world: World) -> None:
    schedule = await yearly(world)
    right = await world.row(schedule)
    await world.db.execute(EARLIER, schedule, HOUR)
    put_off = right["due_at"] + timedelta(days=1)
    await world.db.execute("UPDATE schedules SET due_at = $2 WHERE id = $1", schedule, put_off)
    assert await timezone_changes.follow(world.db) == 1
    row = await world.row(schedule)
    assert (row["next_at"], row["due_at"]) == (right["next_at"], put_off)


async def test_what_is_due_now_and_what_has_no_zone_stay_as_they_are(world: World) -> None:
    due, lost = await world.create(), await yearly(world)
    await world.due_now(due)
    await world.db.execute("UPDATE schedules SET timezone = 'Mars/Base' WHERE id = $1", lost)
    await world.db.execute(EARLIER, lost, HOUR)
    assert await timezone_changes.follow(world.db) == 0
