"""From a due schedule to its batch, by any number of relays, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.api.schedules import changes, interruptions, making
from services.api.sends.terms import Terms
from tests.logged import Logged
from tests.services.api.relay.scheduling import POLL, TERMS, World, opened


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with opened(database) as world:
        yield world


async def test_a_due_occurrence_makes_its_batch_once(world: World) -> None:
    schedule = await world.create(filter={"archived": False}, message="Dear all", min_balance="5")
    relay = world.relay()
    assert await relay.step() == POLL
    assert await world.batches(schedule) == []

    day = await world.due_now(schedule)
    for _ in range(2):
        assert await relay.step() == POLL
    (batch,) = await world.batches(schedule)
    monday = day - timedelta(days=7)
    assert (batch["occurrence"], batch["phase"]) == (day, "expanding")
    assert (batch["date_from"], batch["date_to"]) == (monday, monday + timedelta(days=6))
    assert (batch["personal_message"], batch["min_balance"]) == ("Dear all", 5)
    assert (batch["filter"], batch["customers"]) == ('{"archived": 0}', 4)
    assert batch["send_at"] - datetime.now(UTC) < timedelta(minutes=1)
    row = await world.row(schedule)
    assert row["next_on"] == day + timedelta(days=7)
    assert row["due_at"] == row["next_at"]
    assert await world.settled(schedule) == [(day, "made")]
    trace = row["traceparent"]
    assert (trace is None) == (batch["traceparent"] is None)


async def test_three_months_are_made_up_for(world: World) -> None:
    schedule = await world.create()
    days = await world.due(schedule, 13)
    assert await world.relay().step() == POLL
    made = await world.batches(schedule)
    assert [batch["occurrence"] for batch in made] == days
    # The period of each is counted from its date, and each is due now.
    assert [batch["date_from"] for batch in made] == [day - timedelta(days=7) for day in days]
    assert {batch["send_at"] > datetime.now(UTC) - timedelta(minutes=5) for batch in made} == {True}
    assert await world.settled(schedule) == [(day, "made") for day in days]
    assert (await world.row(schedule))["next_on"] == days[-1] + timedelta(days=7)


async def test_what_is_more_than_an_hour_late_is_skipped_if_so_wanted(world: World) -> None:
    schedule = await world.create(catch_up="skip")
    days = await world.due(schedule, 3)
    await world.relay().step()
    assert await world.batches(schedule) == []
    assert await world.settled(schedule) == [(day, "skipped") for day in days]
    told = await world.db.fetch(
        "SELECT occurrence, reason_code FROM business_events WHERE type = 'schedule.skipped'"
    )
    assert [tuple(row) for row in told] == [(day, "occurrence_late") for day in days]
    # A minute late is on time.
    await world.due_now(schedule)
    await world.relay().step()
    assert len(await world.batches(schedule)) == 1


async def test_several_relays_make_each_occurrence_once(world: World) -> None:
    schedules = [await world.create(business) for business in (1, 1, 2, 2, 3, 3)]
    days = [await world.due(schedule, 4) for schedule in schedules]
    relays = [world.relay() for _ in range(4)]
    for _ in range(3):
        await asyncio.gather(*(relay.step() for relay in relays))
    for schedule, due in zip(schedules, days, strict=True):
        assert [batch["occurrence"] for batch in await world.batches(schedule)] == due


async def test_businesses_take_turns(world: World) -> None:
    many = [await world.create() for _ in range(3)]
    other = await world.create(2)
    for schedule in (*many, other):
        await world.due_now(schedule)
    await world.db.execute("UPDATE schedules SET due_at = due_at + '10 s' WHERE business_id = 2")
    await world.relay().step()
    made = await world.db.fetch("SELECT business_id FROM batches ORDER BY created_at, id")
    assert [business for (business,) in made] == [1, 2, 1, 1]


async def test_a_relay_that_dies_before_the_commit_has_done_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step: before the batch, between batch and record, before the schedule moves on."""
    schedule = await world.create()
    days = await world.due(schedule, 2)

    class Killed(BaseException):
        pass

    async def die(*_: object, **__: object) -> None:
        raise Killed

    steps = ((making.accept, "accept"), (making.records, "settle"), (making, "move_on"))
    for module, name in steps:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, die)
            with pytest.raises(Killed):
                await world.relay().step()
        assert await world.batches(schedule) == []
        assert await world.settled(schedule) == []
    await world.relay().step()
    assert [batch["occurrence"] for batch in await world.batches(schedule)] == days


async def test_one_that_cannot_be_made_stops_no_other_and_is_left_alone_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    broken, other = await world.create(), await world.create(name="Other")
    await world.due(broken, 2)
    await world.due_now(other)
    await world.db.execute(
        "UPDATE schedules SET timezone = 'Europe/Atlantis' WHERE id = $1", broken
    )
    relay = world.relay()
    for _ in range(3):
        await relay.step()
    assert len(await world.batches(other)) == 1
    row = await world.row(broken)
    assert (row["failures"], row["reason_code"]) == (1, "timezone_unknown")
    wait = row["due_at"] - datetime.now(UTC)
    assert timedelta(seconds=30) < wait < timedelta(seconds=90)

    await world.db.execute("UPDATE schedules SET due_at = now() WHERE id = $1", broken)
    await relay.step()
    row = await world.row(broken)
    assert row["failures"] == 2
    assert row["due_at"] - datetime.now(UTC) > wait
    lines = [line for line in logged() if line["event"] == "occurrence_not_made"]
    assert [line["schedule_id"] for line in lines] == [str(broken)]

    await world.db.execute(
        "UPDATE schedules SET timezone = 'Europe/Berlin', due_at = now() WHERE id = $1", broken
    )
    await relay.step()
    assert len(await world.batches(broken)) == 2
    assert (await world.row(broken))["reason"] is None


async def test_an_unexpected_error_is_one_of_its_schedule(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = await world.create()
    day = await world.due_now(schedule)
    accept = making.accept.accept

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(making.accept, "accept", fail)
    await world.relay().step()
    row = await world.row(schedule)
    assert (row["reason_code"], row["next_on"]) == ("batch_not_made", day)
    assert row["reason"] == "an error of the system: ZeroDivisionError"
    monkeypatch.setattr(making.accept, "accept", accept)
    await world.relay().step()
    assert await world.batches(schedule) == []
    # Whoever changes the schedule has it tried at once.
    await changes.change(world.db, 1, schedule, {"name": "Mended"}, TERMS)
    await world.relay().step()
    assert len(await world.batches(schedule)) == 1


async def test_an_audience_of_nobody_makes_a_batch_that_is_done(world: World) -> None:
    schedule = await world.create(filter={"id": [99]})
    day = await world.due_now(schedule)
    await world.relay().step()
    (batch,) = await world.batches(schedule)
    assert (batch["phase"], batch["customers"]) == ("done", 0)
    assert await world.settled(schedule) == [(day, "made")]


async def test_a_word_that_means_no_days_any_more_is_missed(world: World) -> None:
    schedule = await world.create()
    day = await world.due_now(schedule)
    await world.db.execute("UPDATE schedules SET period = 'today..2020-01'")
    await world.relay().step()
    assert await world.settled(schedule) == [(day, "missed")]
    row = await world.row(schedule)
    assert (row["failures"], row["next_on"]) == (0, day + timedelta(days=7))


async def test_an_occurrence_over_the_quota_waits_for_a_day_with_room(
    world: World, logged: Logged
) -> None:
    few = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=2)
    small = await world.create(filter={"id": [6]})
    large = await world.create(filter={"archived": False})  # two customers may have a mail
    never = await world.create(filter={"id": [4, 6, 7]})
    relay = world.relay(few)
    for schedule in (small, large, never):
        await world.due_now(schedule)
        await relay.step()
    phases = [(await world.batches(each))[0]["phase"] for each in (small, large, never)]
    assert phases == ["expanding", "waiting", "waiting"]
    (waiting,) = await world.batches(large)
    assert (waiting["reason_code"], waiting["charged"]) == ("over_quota", 0)
    lines = [line for line in logged() if line["event"] == "batch_waits_for_quota"]
    assert [line["schedule_id"] for line in lines] == [str(large), str(never)]

    # Another relay tries, and still there is no room.
    await world.relay(few).step()
    assert (await world.batches(large))[0]["phase"] == "waiting"
    # A new day: the counts begin anew.
    await world.db.execute("DELETE FROM due_recipients")
    await world.db.execute("UPDATE batches SET send_at = send_at - interval '1 day'")
    await world.relay(few).step()
    (made,) = await world.batches(large)
    assert (made["phase"], made["charged"], made["reason"]) == ("expanding", 2, None)
    assert datetime.now(UTC) - made["send_at"] < timedelta(minutes=1)
    assert made["expires_at"] - made["send_at"] == few.max_lateness
    assert (await world.batches(never))[0]["phase"] == "waiting"


async def test_a_waiting_batch_that_cannot_be_admitted_stops_no_other(
    world: World, logged: Logged
) -> None:
    none = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=0)
    broken, well = [await world.create(filter={"id": [each]}) for each in (6, 4)]
    for schedule in (broken, well):
        await world.due_now(schedule)
        await world.relay(none).step()
    (batch,) = await world.batches(broken)
    await world.db.execute(f"""
        CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'broken'; END $$;
        CREATE TRIGGER break BEFORE UPDATE ON batches FOR EACH ROW
            WHEN (NEW.id = '{batch["id"]}') EXECUTE FUNCTION break()
    """)
    due = await world.create(filter={"id": [4]})
    await world.due_now(due)
    await world.relay().step()
    phases = [(await world.batches(each))[0]["phase"] for each in (broken, well, due)]
    assert phases == ["waiting", "expanding", "expanding"]
    lines = [line for line in logged() if line["event"] == "batch_not_admitted"]
    assert [line["batch_id"] for line in lines] == [str(batch["id"])]


async def test_an_outage_while_batches_are_admitted_stops_the_step_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ConnectionResetError("postgres is away")

    schedule = await world.create(filter={"id": [6]})
    await world.due_now(schedule)
    await world.relay(Terms(25, timedelta(hours=72), daily_quota=0)).step()
    monkeypatch.setattr("services.api.batches.over_quota.admit", away)
    due = await world.create(filter={"id": [4]})
    await world.due_now(due)
    relay = world.relay()
    with pytest.raises(ConnectionResetError):
        await relay.step()
    await relay.step()
    assert len(await world.batches(due)) == 1


async def test_a_paused_schedule_makes_nothing(world: World) -> None:
    schedule = await world.create()
    await world.due_now(schedule)
    await interruptions.pause(world.db, 1, schedule)
    await world.relay().step()
    assert await world.batches(schedule) == []


async def test_a_skipped_date_is_passed_over(world: World) -> None:
    schedule = await world.create()
    day = await world.due_now(schedule)
    await interruptions.skip(world.db, 1, schedule, day + timedelta(days=7))
    await world.relay().step()
    assert (await world.row(schedule))["next_on"] == day + timedelta(days=14)
    assert await world.settled(schedule) == [
        (day, "made"),
        (day + timedelta(days=7), "skipped"),
    ]


async def test_the_last_occurrence_ends_the_schedule(world: World) -> None:
    schedule = await world.create()
    day = await world.due_now(schedule)
    await world.db.execute("UPDATE schedules SET ends_on = $1", day)
    await world.relay().step()
    assert len(await world.batches(schedule)) == 1
    assert (await world.row(schedule))["next_on"] is None
    ends = await world.db.fetch("SELECT type FROM business_events WHERE type = 'schedule.ended'")
    assert len(ends) == 1
    assert await world.relay().step() == POLL
