"""Schedules as a subscriber hears of them, from the first call to the batch of an occurrence."""

import json
from typing import Any

from jsonschema import Draft202012Validator

from services.api.contract.message_schemas import documents
from services.api.schedules.messages import Change
from tests.journeys.conftest import System
from tests.peer import Peer
from tests.services.api.schedules.calls import PATH, act, ask, create

KEYS = tuple(f"schedule.{change}.1" for change in Change)
OVERDUE = """
UPDATE schedules SET next_at = now() - $1::text::interval, due_at = now() - $1::text::interval
"""


async def heard(asker: Peer, last: str) -> list[Any]:
    """What was told of schedules, once the last of it is there."""
    await asker.events(f"schedule.{last}.1")
    return await asker.events(*KEYS)


def faults(asker: Peer) -> list[str]:
    """What the published schema finds wrong with the events of schedules."""
    validator = Draft202012Validator(documents()["schedule.v1.json"])
    events = [json.loads(each.body) for each in asker.heard if each.routing_key in KEYS]
    return [str(fault) for event in events for fault in validator.iter_errors(event)]


async def test_each_call_is_told_in_order(system: System, asker: Peer) -> None:
    made = await create(system.http)
    path = f"{PATH}/{made['id']}"
    async with system.relay():
        assert (await ask(system.http, "PATCH", path, json={"name": "Other"}))[0] == 200
        skipped = made["next"]["occurrence"]
        await act(system.http, made, "skip")
        await act(system.http, made, "pause")
        await act(system.http, made, "pause")
        await act(system.http, made, "resume")
        assert (await ask(system.http, "DELETE", path))[0] == 204
        events = await heard(asker, "deleted")
    told = ["created", "changed", "skipped", "paused", "resumed", "deleted"]
    assert [each["data"]["change"] for each in events] == told
    assert [each["type"] for each in events] == [
        f"com.ledgerpost.schedule.{each}.v1" for each in told
    ]
    assert {each["subject"] for each in events} == {made["id"]}
    sequences = [each["data"]["sequence"] for each in events]
    assert sequences == sorted(set(sequences))
    assert [each["data"]["occurrence"] for each in events] == [None, None, skipped, *[None] * 3]
    assert faults(asker) == []


async def test_the_events_of_an_occurrences_batch_name_its_schedule(
    system: System, asker: Peer
) -> None:
    made = await create(system.http, skip_empty=False)
    async with system.relay(), system.mailer():
        await asker.events("schedule.created.1")
        await system.db.execute(OVERDUE, "1 s")
        [done] = await asker.events("batch.done.1")
        batch = await act(system.http, made, "run")
        [_, ran] = await asker.events("batch.done.1", number=2)
    assert done["data"]["schedule_id"] == ran["data"]["schedule_id"] == made["id"]
    # Who runs a schedule by hand takes no occurrence from it.
    assert (done["data"]["occurrence"], ran["data"]["occurrence"]) == (
        made["next"]["occurrence"],
        None,
    )
    assert ran["subject"] == batch["id"] != done["subject"]
    assert done["data"]["counts"] == {"sent": len(system.judge.accepted) // 2}


async def test_an_occurrence_that_is_late_says_why(system: System, asker: Peer) -> None:
    made = await create(system.http, catch_up="skip")
    await system.db.execute(OVERDUE, "2 h")
    async with system.relay():
        [late] = await asker.events("schedule.skipped.1")
    assert late["data"]["occurrence"] == made["next"]["occurrence"]
    assert late["data"]["reason_code"] == "occurrence_late"
    assert late["data"]["reason"]
    assert faults(asker) == []
    assert await system.db.fetchval("SELECT count(*) FROM batches") == 0


async def test_the_last_occurrence_ends_its_schedule(system: System, asker: Peer) -> None:
    made = await create(system.http, rule={"every": "month", "day": 1})
    await system.db.execute("UPDATE schedules SET ends_on = next_on")
    await system.db.execute(OVERDUE, "1 s")
    async with system.relay():
        events = await heard(asker, "ended")
        await asker.events("batch.expanding.1")
    assert [each["data"]["change"] for each in events] == ["created", "ended"]
    assert events[-1]["subject"] == made["id"]
