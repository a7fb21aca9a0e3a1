"""From a schedule to the mails of its occurrences, with two relays, one of which is lost."""

from typing import Any

from tests.journeys.conftest import System
from tests.peer import Peer

WEEKLY: dict[str, Any] = {
    "name": "Weekly",
    "rule": {"every": "week", "weekday": "fri"},
    "time": "09:00",
    "period": "2024-11",
    "filter": {"id": [4, 5, 6]},
    "skip_empty": False,
    "message": "As every Friday",
}
#: Puts the next occurrence, and whatever follows, two weeks back.
EARLIER = """UPDATE schedules SET next_on = next_on - 14, starts_on = '2020-01-01',
             next_at = next_at - interval '14 d', due_at = due_at - interval '14 d'"""
OPEN = "SELECT count(*) FROM batches WHERE phase <> 'done'"
RECORDS = "SELECT occurrence, outcome FROM schedule_occurrences ORDER BY occurrence"


async def test_each_occurrence_is_mailed_once(system: System, asker: Peer) -> None:
    async with system.http.post("/api/v3/schedules", json=WEEKLY) as response:
        assert response.status == 201, await response.text()
        schedule = await response.json()
    await system.db.execute(EARLIER)
    async with system.mailer(), system.relay():
        async with system.relay():
            await asker.events("batch.expanding.1", number=2)
        events = await asker.events("batch.done.1", number=2)
    assert await system.db.fetchval(OPEN) == 0
    async with system.http.get("/api/v3/batches", params={"schedule_id": schedule["id"]}) as listed:
        batches = (await listed.json())["data"]
    days = sorted(each["occurrence"] for each in batches)
    assert [(str(day), what) for day, what in await system.db.fetch(RECORDS)] == [
        (day, "made") for day in days
    ]
    assert len(days) == 2
    assert days[1] < schedule["next"]["occurrence"]
    assert sorted(each["data"]["occurrence"] for each in events) == days
    sent = sum(each["counts"].get("sent", 0) for each in batches)
    assert sent == len(system.judge.accepted) > 2
    assert set(system.judge.counts().values()) == {1}
    params = {"schedule_id": schedule["id"]}
    async with system.http.get("/api/v3/sends", params=params) as listed:
        sends = (await listed.json())["data"]
    assert {each["personal_message"] for each in sends} == {"As every Friday"}
    assert {each["batch_id"] for each in sends} <= {each["id"] for each in batches}
    path = schedule["links"]["self"]
    async with system.http.get(path) as response:
        shown = await response.json()
    assert shown["next"] == schedule["next"]
    assert (shown["last"]["occurrence"], shown["last"]["outcome"]) == (days[1], "made")


async def test_what_becomes_of_a_schedule_is_told(system: System, asker: Peer) -> None:
    async with system.http.post("/api/v3/schedules", json=WEEKLY) as response:
        schedule = await response.json()
    path = schedule["links"]["self"]
    async with system.relay():
        for what in ("pause", "resume", "skip"):
            async with system.http.post(f"{path}/{what}") as response:
                assert response.status == 200, await response.text()
        await system.http.patch(path, json={"catch_up": "skip"})
        await system.db.execute(EARLIER)
        await asker.events("schedule.skipped.1", number=2)
        await system.http.patch(path, json={"ends_on": "2021-01-01"})
        await system.http.delete(path)
        told = ("created", "paused", "resumed", "skipped", "changed", "ended", "deleted")
        heard = await asker.events(*(f"schedule.{what}.1" for what in told), number=9)
    kinds = [each["type"].split(".")[-2] for each in heard]
    assert kinds == [
        *("created", "paused", "resumed", "skipped", "changed", "skipped", "changed", "ended"),
        "deleted",
    ]
    asked, late = [each for each in heard if each["type"].endswith("skipped.v1")]
    assert asked["data"]["occurrence"] == schedule["next"]["occurrence"]
    assert [each["data"]["reason_code"] for each in (asked, late)] == [None, "occurrence_late"]
    assert await system.db.fetchval("SELECT count(*) FROM batches") == 0
