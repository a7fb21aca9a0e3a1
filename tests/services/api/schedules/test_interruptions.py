"""Pauses, skipped occurrences, batches on request, and what is to come."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from services.api.batches import accept
from services.api.core import deadline
from services.api.schedules import upcoming
from shared.db import sql
from tests.services.api.schedules.calls import PATH, act, ask, create, refused, show
from tests.services.api.sends.calls import Client

# Every Monday.
WEEKLY: dict[str, Any] = {
    "rule": {"every": "week", "weekday": "mon"},
    "period": "last-week",
    "timezone": "America/New_York",
}
OCCURRENCES = """SELECT occurrence, outcome FROM schedule_occurrences WHERE schedule_id = $1
                 ORDER BY occurrence"""
EVENTS = """SELECT type, occurrence FROM business_events
            WHERE schedule_id = $1 AND type LIKE 'schedule%' ORDER BY id"""


async def settled(ledger: asyncpg.Connection, schedule: Any) -> list[tuple[date, str]]:
    return [tuple(row) for row in await ledger.fetch(OCCURRENCES, schedule["id"])]


async def events(ledger: asyncpg.Connection, schedule: Any) -> list[str]:
    return [row["type"] for row in await ledger.fetch(EVENTS, schedule["id"])]


async def put_back(ledger: asyncpg.Connection, schedule: Any, weeks: int) -> date:
    """Have the next occurrence of a weekly schedule lie so many weeks earlier."""
    row = await ledger.fetchrow(
        "UPDATE schedules SET next_on = next_on - 7 * $2::int, starts_on = starts_on - 7 * $2::int,"
        " next_at = next_at - interval '7 d' * $2, due_at = due_at - interval '7 d' * $2"
        " WHERE id = $1 RETURNING next_on",
        schedule["id"],
        weeks,
    )
    assert row is not None
    found: date = row["next_on"]
    return found


async def test_what_passes_during_a_pause_is_never_made(
    api: Client, ledger: asyncpg.Connection
) -> None:
    made = await create(api, **WEEKLY)
    paused = await act(api, made, "pause")
    assert (paused["status"], paused["next"]) == ("paused", None)
    assert paused["paused_at"] is not None
    first = await put_back(ledger, made, 3)

    resumed = await act(api, made, "resume")
    assert (resumed["status"], resumed["paused_at"]) == ("active", None)
    assert resumed["next"] == made["next"]
    passed = [first + timedelta(days=7 * number) for number in range(3)]
    assert await settled(ledger, made) == [(day, "paused") for day in passed]
    assert resumed["last"] == {
        "occurrence": str(passed[-1]),
        "outcome": "paused",
        "batch_id": None,
        "reason": None,
        "reason_code": None,
    }
    assert await events(ledger, made) == [
        *("schedule.created", "schedule.paused", "schedule.resumed")
    ]


async def test_to_pause_or_resume_twice_changes_nothing(
    api: Client, ledger: asyncpg.Connection
) -> None:
    made = await create(api, **WEEKLY)
    assert await act(api, made, "resume") == made
    paused = await act(api, made, "pause")
    assert await act(api, made, "pause") == paused
    await act(api, made, "resume")
    assert len(await events(ledger, made)) == 3


async def test_a_schedule_may_end_during_a_pause(api: Client, ledger: asyncpg.Connection) -> None:
    made = await create(api, **WEEKLY)
    await act(api, made, "pause")
    day = await put_back(ledger, made, 2)
    await ledger.execute("UPDATE schedules SET ends_on = next_on WHERE id = $1", made["id"])
    resumed = await act(api, made, "resume")
    assert (resumed["status"], resumed["next"]) == ("ended", None)
    assert await settled(ledger, made) == [(day, "paused")]
    assert (await events(ledger, made))[-1] == "schedule.ended"
    for what in ("pause", "skip"):
        assert (await ask(api, "POST", f"{PATH}/{made['id']}/{what}"))[0] == 409


async def test_a_change_during_a_pause_does_not_bring_back_what_passed(
    api: Client, ledger: asyncpg.Connection
) -> None:
    made = await create(api, **WEEKLY)
    await act(api, made, "pause")
    first = await put_back(ledger, made, 2)
    await ask(api, "PATCH", made["links"]["self"], json={"rule": {"weekday": "tue"}})
    resumed = await act(api, made, "resume")
    assert datetime.fromisoformat(resumed["next"]["at"]) > datetime.now(UTC)
    assert [day for day, _ in await settled(ledger, made)] == [first, first + timedelta(days=7)]


async def test_the_next_occurrence_is_skipped(api: Client, ledger: asyncpg.Connection) -> None:
    made = await create(api, **WEEKLY)
    day = date.fromisoformat(made["next"]["occurrence"])
    skipped = await act(api, made, "skip")
    assert skipped["next"]["occurrence"] == str(day + timedelta(days=7))
    assert skipped["last"]["outcome"] == "skipped"

    further = day + timedelta(days=21)
    for _ in range(2):  # with a date it may be repeated
        again = await act(api, made, "skip", json={"occurrence": str(further)})
        assert again["next"] == skipped["next"]
    assert await settled(ledger, made) == [(day, "skipped"), (further, "skipped")]
    assert await events(ledger, made) == ["schedule.created", *["schedule.skipped"] * 2]
    _, listed = await ask(api, "GET", made["links"]["upcoming"], params={"count": "4"})
    assert [each["skipped"] for each in listed["data"]] == [True, False, False, True]

    for _ in range(2):
        await act(api, made, "skip")
    assert (await show(api, made))["next"]["occurrence"] == str(further + timedelta(days=7))


async def test_only_an_occurrence_that_is_near_can_be_skipped(
    api: Client, ledger: asyncpg.Connection
) -> None:
    made = await create(api, **WEEKLY)
    day = date.fromisoformat(made["next"]["occurrence"])
    path = f"{PATH}/{made['id']}/skip"
    for wrong in (day + timedelta(days=1), day - timedelta(days=7), day + timedelta(days=700)):
        assert set(await refused(api, path=path, json={"occurrence": str(wrong)})) == {"occurrence"}
    for nonsense in ("soon", 5, [str(day)]):
        assert set(await refused(api, path=path, json={"occurrence": nonsense})) == {"occurrence"}
    await act(api, made, "skip", json={"occurrence": str(day + timedelta(days=693))})
    await act(api, made, "pause")
    assert (await ask(api, "POST", path))[0] == 409


async def test_a_schedule_is_run_beside_its_occurrences(
    api: Client, ledger: asyncpg.Connection
) -> None:
    made = await create(api, **WEEKLY, filter={"id": [4]}, message="Now", min_balance="5")
    headers = {"Idempotency-Key": "now"}
    async with api.post(f"{PATH}/{made['id']}/run", headers=headers) as response:
        batch = await response.json()
        assert response.status == 202
        assert response.headers["Location"] == batch["links"]["self"]
    assert await act(api, made, "run", headers=headers) == batch
    today = await ledger.fetchval("SELECT (now() AT TIME ZONE 'America/New_York')::date")
    monday = today - timedelta(days=today.weekday() + 7)
    assert (batch["schedule_id"], batch["occurrence"]) == (made["id"], None)
    assert (batch["from"], batch["to"]) == (str(monday), str(monday + timedelta(days=6)))
    assert (batch["personal_message"], batch["filter"]) == ("Now", {"id": [4]})
    assert batch["progress"]["customers"] == 1
    assert await show(api, made) == made
    await act(api, made, "pause")
    await act(api, made, "run")


async def test_to_run_a_schedule_is_bounded_like_any_batch(
    api: Client, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accept, "OPEN_MAX", 2)
    made = await create(api, **WEEKLY)
    for _ in range(2):
        await act(api, made, "run")
    assert (await ask(api, "POST", f"{PATH}/{made['id']}/run"))[0] == 429
    nobody = await create(api, **WEEKLY, filter={"id": [99]})
    await ledger.execute("UPDATE batches SET phase = 'done'")
    found = await refused(api, path=f"{PATH}/{nobody['id']}/run")
    assert found == {"filter": "selects no customer"}


async def test_what_is_to_come_has_offset_period_and_numbers(api: Client) -> None:
    """Customer 4 has an address; so have 6 and 7, in a way; 5 and 8 have none."""
    made = await create(
        api,
        **WEEKLY | {"rule": {"every": "month", "day": 31}, "period": "this-month"},
        starts_on="2031-01-01",
        other_emails=["x@x.example"],
        copy_to_me=True,
    )
    _, listed = await ask(api, "GET", made["links"]["upcoming"], params={"count": "4"})
    shown = [(each["at"], each["from"], each["to"]) for each in listed["data"]]
    assert shown == [
        ("2031-01-31T09:00:00-05:00", "2031-01-01", "2031-01-31"),
        ("2031-02-28T09:00:00-05:00", "2031-02-01", "2031-02-28"),
        ("2031-03-31T09:00:00-04:00", "2031-03-01", "2031-03-31"),
        ("2031-04-30T09:00:00-04:00", "2031-04-01", "2031-04-30"),
    ]
    assert {(each["customers"], each["recipients"]) for each in listed["data"]} == {(5, 9)}
    assert made["next"].items() <= listed["data"][0].items()
    _, listed = await ask(api, "GET", made["links"]["upcoming"])
    assert len(listed["data"]) == 12


async def test_customers_are_counted_by_the_period_if_the_filter_asks_for_it(
    api: Client, ledger: asyncpg.Connection
) -> None:
    await ledger.execute(
        "INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date,"
        " total) VALUES (1, 1, 4, 'A', 'invoice', 'issued', '2031-02-10', 10)"
    )
    made = await create(api, filter={"active": True}, starts_on="2031-01-01")
    _, listed = await ask(api, "GET", made["links"]["upcoming"], params={"count": "20"})
    counts = [each["customers"] for each in listed["data"]]
    assert counts == [0, 1, *[0] * 10, *[None] * 8]
    status, _ = await ask(api, "GET", made["links"]["upcoming"], params={"count": "101"})
    assert status == 422


async def test_the_memory_of_a_process_does_not_grow_with_the_filters_that_are_counted(
    api: Client,
) -> None:
    kept = []
    for name in ("Ɛsi", "Gone", "Blank"):
        made = await create(api, filter={"q": name})
        _, listed = await ask(api, "GET", made["links"]["upcoming"], params={"count": "1"})
        assert listed["data"][0]["customers"] == 1
        kept.append(sql.numbered.cache_info().currsize)
    assert len(set(kept)) == 1


async def test_what_takes_too_long_is_not_counted(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dates are what the caller needs most."""
    made = await create(api, **WEEKLY)

    async def slow(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(deadline, "_READ_S_MAX", 0.1)
    monkeypatch.setattr(upcoming, "reach", slow)
    _, listed = await ask(api, "GET", made["links"]["upcoming"], params={"count": "2"})
    assert [each["customers"] for each in listed["data"]] == [None, None]


async def test_what_was_made_today_is_not_to_come(api: Client, ledger: asyncpg.Connection) -> None:
    made = await create(api, **WEEKLY)
    day = date.fromisoformat(made["next"]["occurrence"])
    await ledger.execute(
        "INSERT INTO schedule_occurrences VALUES ($1, $2, 'made', $1)",
        made["id"],
        day,
    )
    _, listed = await ask(api, "GET", made["links"]["upcoming"], params={"count": "1"})
    assert listed["data"][0]["occurrence"] == str(day + timedelta(days=7))


async def test_a_zone_that_disappeared_can_be_replaced(
    api: Client, ledger: asyncpg.Connection
) -> None:
    made = await create(api, **WEEKLY)
    await ledger.execute("UPDATE schedules SET timezone = 'Europe/Atlantis'")
    assert (await show(api, made))["next"]["at"].endswith("+00:00")
    for what, method in (("upcoming", "GET"), ("skip", "POST"), ("run", "POST")):
        assert (await ask(api, method, f"{PATH}/{made['id']}/{what}"))[0] == 409
    await act(api, made, "pause")
    assert (await ask(api, "POST", f"{PATH}/{made['id']}/resume"))[0] == 409
    path = made["links"]["self"]
    assert set(await refused(api, "PATCH", path, json={"name": "x"})) == {"timezone"}
    _, changed = await ask(api, "PATCH", path, json={"timezone": "Asia/Tokyo"})
    assert changed["timezone"] == "Asia/Tokyo"
    resumed = await act(api, made, "resume")
    at = datetime.fromisoformat(resumed["next"]["at"])
    assert at.astimezone(ZoneInfo("Asia/Tokyo")).weekday() == 0
