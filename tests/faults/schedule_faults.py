"""Processes are killed or away when schedules are due."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.commands import ended
from tests.faults import batches, tap
from tests.faults.batches import Audience
from tests.faults.cases import fault
from tests.faults.world import World

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Makes each schedule due in $1 seconds, on a date that no other schedule has, whatever its rule is.
_DUE = """UPDATE schedules SET next_on = current_date, next_at = clock_timestamp() + $1::interval,
    due_at = clock_timestamp() + $1::interval"""
# The relays were away for as many weeks.
_LATE = """UPDATE schedules SET next_on = next_on - 7 * $1::integer,
    next_at = next_at - interval '7 days' * $1::integer,
    due_at = next_at - interval '7 days' * $1::integer, starts_on = '2020-01-01'"""

_SETTLED = """SELECT count(o.occurrence) AS settled, bool_and(s.next_at > now()) AS waits
    FROM schedules s LEFT JOIN schedule_occurrences o ON o.schedule_id = s.id GROUP BY s.id"""


@fault("fault-22-schedules-due-while-relays-are-killed")
async def killed_when_due(world: World, rng: Random) -> None:
    """However many relays make an occurrence and die of it, one batch comes of it."""
    people = await batches.audience(world, 10)
    number = 40 if world.full else 8
    schedules = [await _add(world) for _ in range(number)]
    await world.fetch(_DUE, timedelta(seconds=rng.uniform(1, 2)))
    relays = [world.relay(), world.relay()]
    batches.mailer(world)
    for part in range(3):

        async def so_many_are_made(most: int = part * number // 3) -> bool:
            return len(await world.fetch("SELECT FROM batches")) >= most

        await world.until(so_many_are_made, "some occurrences made")
        await asyncio.sleep(rng.uniform(0, 0.2))
        await relays.pop(0).kill()
        relays.append(world.relay())
    made = await _all_are_made(world, 1, number)
    assert {str(row["schedule_id"]) for row in made} == set(schedules)
    await _each_is_mailed(world, people, made)


@fault(
    "fault-22-relay-makes-an-occurrence",
    "killed-before-its-commit",
    "killed-after-its-commit",
    "frozen-before-its-commit",
    "frozen-after-its-commit",
)
async def relay_makes_occurrence(world: World, rng: Random, variant: str) -> None:
    """A relay dies or hangs as it makes an occurrence; its batch is made, and expanded, once."""
    people = await batches.audience(world, rng.randrange(10, 40))
    await _add(world)
    fate, _, moment = variant.partition("-")
    postgres = await world.tapped()
    holds = "request" if moment == "before-its-commit" else "answer"
    trap = postgres.trap(tap.COMMIT, holds, after=tap.ACCEPT_BATCH)  # type: ignore[arg-type]
    first = world.relay(DATABASE_URL=postgres.url)
    await world.fetch(_DUE, timedelta(0))
    await trap.reached()
    await (first.kill() if fate == "killed" else first.freeze())
    if fate == "killed":
        postgres.drop()
    stored = [row["id"] for row in await world.fetch("SELECT id FROM batches")]
    assert len(stored) == (moment == "after-its-commit")
    world.relay()
    batches.mailer(world)
    made = await _all_are_made(world, 1, 1)
    await _each_is_mailed(world, people, made)
    assert not stored or [row["id"] for row in made] == stored
    if fate == "frozen":
        trap.released.set()
        first.thaw()
        await asyncio.sleep(1)  # whatever it would still do
        await _each_is_mailed(world, people, made)


@fault("fault-22-relays-away-over-occurrences", "that-are-sent-late", "that-are-skipped")
async def relays_away(world: World, rng: Random, variant: str) -> None:
    """Relays that come back find several occurrences missed, and one dies while it catches up."""
    people = await batches.audience(world, 10)
    catches_up = variant == "that-are-sent-late"
    await _add(world, catch_up="send-late" if catches_up else "skip")
    before = (await world.fetch("SELECT next_on FROM schedules"))[0]["next_on"]
    missed = rng.randrange(2, 12)
    await world.fetch(_LATE, missed)
    first = world.relay()
    world.relay()
    batches.mailer(world)
    await asyncio.sleep(rng.uniform(0.3, 1.5))
    await first.kill()
    made = await _all_are_made(world, missed, missed if catches_up else 0)
    settled = await world.fetch("SELECT occurrence, outcome FROM schedule_occurrences")
    outcome = "made" if catches_up else "skipped"
    days = {before - timedelta(days=7 * (number + 1)) for number in range(missed)}
    assert {tuple(row) for row in settled} == {(day, outcome) for day in days}
    assert (await world.fetch("SELECT next_on FROM schedules"))[0]["next_on"] == before
    # Each is about the week before its own date.
    assert {(row["occurrence"] - row["date_to"]).days for row in made} <= set(range(1, 8))
    assert len({row["date_to"] for row in made}) == len(made)
    await _each_is_mailed(world, people, made)
    if not made:  # so that the case has a mail
        await batches.finished(world, await batches.ask(world), people)


@fault("fault-22-schedule-restored")
async def restored(world: World, rng: Random) -> None:
    """After a restore, what was due is not made by itself, nor when the schedule is resumed."""
    people = await batches.audience(world, 10)
    due, later = await _add(world), await _add(world)
    await world.fetch(f"{_LATE} WHERE id = $2", rng.randrange(1, 5), due)
    where = {"DATABASE_URL": world.dsn}  # by the owner of the tables
    done = await ended("services.api", "quarantine", "--yes", settings=where)
    assert done.status == 0, done
    for _ in range(2):
        world.relay()
    batches.mailer(world)
    await asyncio.sleep(2)  # in which a relay would make it
    async with world.http.post(f"/api/v3/schedules/{due}/resume") as response:
        assert response.status == 200, await response.text()
    await world.fetch(f"{_DUE} WHERE id = $2", timedelta(0), later)
    [made] = await _all_are_made(world, 1, 1)
    assert str(made["schedule_id"]) == later
    await _each_is_mailed(world, people, [made])


async def _add(world: World, **more: Any) -> str:
    """Add a schedule for the audience, which is next due in three days, and return its id."""
    due = datetime.now(UTC) + timedelta(days=3)
    body = {
        "name": "every week",
        "rule": {"every": "week", "weekday": _DAYS[due.weekday()]},
        "time": "12:00",
        "timezone": "Etc/UTC",
        "period": "last-week",
        "filter": batches.FILTER,
        **more,
    }
    return str((await world.answer("POST", "/api/v3/schedules", 201, json=body))["id"])


async def _all_are_made(world: World, settled: int, made: int) -> list[Any]:
    """Wait until each schedule has so many settled occurrences; return the batches of all."""

    async def over() -> bool:
        rows = await world.fetch(_SETTLED)
        return all(row["waits"] and row["settled"] >= settled for row in rows)

    await world.until(over, "every occurrence settled")
    found = await world.fetch("SELECT * FROM batches WHERE schedule_id IS NOT NULL")
    assert len(found) == made
    assert len({(row["schedule_id"], row["occurrence"]) for row in found}) == made
    recorded = await world.fetch("SELECT batch_id FROM schedule_occurrences WHERE outcome = 'made'")
    assert {row["batch_id"] for row in recorded} == {row["id"] for row in found}
    return found


async def _each_is_mailed(world: World, people: Audience, made: list[Any]) -> None:
    for batch in made:
        await batches.finished(world, str(batch["id"]), people)
    mailed = Counter(mail.recipient for mail in world.judge.accepted)
    assert mailed == Counter(dict.fromkeys(people.mailed, len(made)) if made else {})
    assert await batches.charged(world) == len(world.judge.accepted)
