"""Schedules over HTTP: made, shown, listed, changed and deleted."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from services.api.access import daily_counts
from services.api.core import paging
from services.api.schedules import changes
from tests.services.api.schedules.calls import MONTHLY, PATH, act, ask, create, refused, show
from tests.services.api.sends.calls import Client

WEEKLY = {"every": "week", "weekday": "mon"}
EVENTS = (
    "SELECT type FROM business_events WHERE schedule_id = $1 AND type LIKE 'schedule%' ORDER BY id"
)


async def events(ledger: asyncpg.Connection, schedule: Any) -> list[str]:
    return [row["type"] for row in await ledger.fetch(EVENTS, schedule["id"])]


async def test_a_schedule_is_shown_as_it_was_made(api: Client, ledger: asyncpg.Connection) -> None:
    given: dict[str, Any] = {
        "filter": {"archived": False, "id": [4, 5]},
        "statement_kind": "open-items",
        "message": "Dear all",
        "locale": "fr",
        "other_emails": ["accounts@kente.example.com"],
        "copy_to_me": True,
        "skip_empty": False,
        "min_balance": 10.5,
        "catch_up": "skip",
        "starts_on": "2031-01-15",
        "ends_on": "2031-12-31",
    }
    made = await create(api, **given)
    assert await show(api, made) == made
    shown = {name: made[name] for name in (*MONTHLY, *given)}
    assert shown == MONTHLY | given | {
        "filter": {"archived": 0, "id": [4, 5]},
        "min_balance": "10.5",
    }
    assert made["status"] == "active"
    assert made["description"] == "the last day of every month at 09:00"
    assert made["next"] == {
        "occurrence": "2031-01-31",
        "at": "2031-01-31T09:00:00+01:00",
        "from": "2031-01-01",
        "to": "2031-01-31",
    }
    assert await events(ledger, made) == ["schedule.created"]


async def test_what_is_left_out_has_its_default(api: Client, ledger: asyncpg.Connection) -> None:
    """Africa/Accra, the business's zone, has the date of UTC."""
    today = await ledger.fetchval("SELECT (now() AT TIME ZONE 'UTC')::date::text")
    made = await create(api, timezone=None)
    assert (made["timezone"], made["starts_on"], made["ends_on"]) == ("Africa/Accra", today, None)
    assert (made["catch_up"], made["skip_empty"], made["copy_to_me"]) == ("send-late", True, False)
    assert (made["filter"], made["min_balance"], made["other_emails"]) == ({}, None, [])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "name"),
    ({"name": " \u200e "}, "name"),
    ({"name": "n" * 201}, "name"),
    ({"rule": None}, "rule"),
    ({"rule": "monthly"}, "rule"),
    ({"rule": {"every": "month", "day": 32}}, "rule.day"),
    ({"rule": {"every": "month", "day": 1, "weekday": "fri", "nth": 1}}, "rule.weekday"),
    ({"time": None}, "time"),
    ({"time": "9:00"}, "time"),
    ({"time": "24:00"}, "time"),
    ({"time": 900}, "time"),
    ({"timezone": "Europe/Nowhere"}, "timezone"),
    ({"timezone": "localtime"}, "timezone"),
    ({"timezone": "../../etc/passwd"}, "timezone"),
    ({"period": None}, "period"),
    ({"period": "fortnight"}, "period"),
    ({"period": "year-9999"}, "period"),
    ({"period": "today..2026-01"}, "period"),
    ({"period": "x" * 5000}, "period"),
    ({"filter": {"category": 1}}, "filter.category"),
    ({"filter": {"id": []}}, "filter.id"),
    ({"filter": "all"}, "filter"),
    ({"statement_kind": "everything"}, "statement_kind"),
    ({"locale": "french please"}, "locale"),
    ({"message": "x" * 10_001}, "message"),
    ({"other_emails": ["no address"]}, "other_emails"),
    ({"other_emails": [f"a{n}@x.example" for n in range(25)]}, "other_emails"),
    ({"min_balance": "ten"}, "min_balance"),
    ({"catch_up": "later"}, "catch_up"),
    ({"starts_on": "31.12.2026"}, "starts_on"),
    ({"starts_on": "9999-01-01"}, "starts_on"),
    ({"starts_on": "2031-02-01", "ends_on": "2031-01-01"}, "ends_on"),
    ({"ends_on": "2020-01-01"}, "ends_on"),
    ({"send_at": "2031-01-01"}, "send_at"),
    ({"frozen_list": "0198c0de-0000-7000-8000-000000000000"}, "frozen_list"),
]


async def test_bad_input_is_refused_by_its_field(api: Client, ledger: asyncpg.Connection) -> None:
    for changed, field in BAD:
        body = {name: value for name, value in {**MONTHLY, **changed}.items() if value is not None}
        assert set(await refused(api, json=body)) == {field}, changed
    assert await ledger.fetchval("SELECT count(*) FROM schedules") == 0
    assert await ledger.fetchval("SELECT count(*) FROM business_events") == 0


async def test_a_repeated_request_makes_one_schedule(
    api: Client, ledger: asyncpg.Connection
) -> None:
    given = {"json": MONTHLY, "headers": {"Idempotency-Key": "monthly"}}
    async with api.post(PATH, **given) as first, api.post(PATH, **given) as second:
        assert await first.read() == await second.read()
        assert "Idempotency-Replayed" in second.headers
        assert first.headers["Location"] == second.headers["Location"]
        assert first.headers["Location"] == (await first.json())["links"]["self"]
    assert await ledger.fetchval("SELECT count(*) FROM schedules") == 1
    status, _ = await ask(api, "POST", PATH, **given | {"json": {**MONTHLY, "time": "10:00"}})
    assert status == 409


async def test_a_business_has_a_limited_number(
    api: Client, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "SCHEDULES_MAX", 2)
    first, _ = await create(api), await create(api)
    assert (await ask(api, "POST", PATH, json=MONTHLY))[0] == 409
    assert (await ask(api, "DELETE", f"{PATH}/{first['id']}"))[0] == 204
    await create(api)


async def test_a_page_follows_the_other(api: Client) -> None:
    made = [await create(api, name=f"n{number}") for number in range(5)]
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        status, page = await ask(api, "GET", PATH, params={"limit": "2", **cursor})
        assert status == 200
        found += [each["name"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == [each["name"] for each in reversed(made)]


async def test_a_page_of_long_messages_is_short(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE_BYTES_MAX", 100_000)
    made = [await create(api, message="😀" * 10_000) for _ in range(3)]
    _, page = await ask(api, "GET", PATH)
    assert [each["id"] for each in page["data"]] == [made[2]["id"], made[1]["id"]]
    _, page = await ask(api, "GET", PATH, params={"cursor": page["next_cursor"]})
    assert ([each["id"] for each in page["data"]], page["next_cursor"]) == ([made[0]["id"]], None)


async def test_a_change_is_merged(api: Client, ledger: asyncpg.Connection) -> None:
    made = await create(
        api, filter={"q": "a", "archived": False}, ends_on="2031-12-31", message="Dear all"
    )
    changed = {
        "rule": {"day": 15},
        "time": "18:30",
        "filter": {"q": None, "id": [4]},
        "ends_on": None,
        "message": None,
        "timezone": None,
    }
    for media in ("application/json", "application/merge-patch+json"):
        status, answer = await ask(
            api, "PATCH", made["links"]["self"], json=changed, headers={"Content-Type": media}
        )
        assert status == 200, answer
    kept = {name: made[name] for name in ("id", "name", "period", "created_at", "catch_up")}
    assert kept.items() <= answer.items()
    assert answer["rule"] == {"every": "month", "day": 15}
    assert answer["filter"] == {"archived": 0, "id": [4]}
    assert (answer["ends_on"], answer["message"]) == (None, None)
    assert answer["timezone"] == "Africa/Accra"
    assert answer["next"]["at"].endswith("-15T18:30:00+00:00")
    assert await show(api, made) == answer
    # The second time nothing was changed.
    assert await events(ledger, made) == ["schedule.created", "schedule.changed"]


async def test_what_changes_nothing_is_not_told(api: Client, ledger: asyncpg.Connection) -> None:
    made = await create(
        api,
        filter={"id": [4, 5], "archived": False},
        min_balance="10.50",
        other_emails=["a@x.example"],
        ends_on="2031-12-31",
    )
    unchanged = (
        {},
        {"name": MONTHLY["name"], "rule": {"day": "last"}, "time": "09:00"},
        {"filter": {"archived": False}, "message": None, "skip_empty": None, "catch_up": None},
        {"min_balance": 10.5, "other_emails": ["a@x.example"], "starts_on": made["starts_on"]},
    )
    for each in unchanged:
        assert await ask(api, "PATCH", made["links"]["self"], json=each) == (200, made)
    assert await events(ledger, made) == ["schedule.created"]

    # What could not be made is tried at once.
    await ledger.execute(
        "UPDATE schedules SET failures = 3, reason = 'x', reason_code = 'batch_not_made'"
    )
    status, _ = await ask(api, "PATCH", made["links"]["self"], json={})
    assert status == 200
    assert await ledger.fetchval("SELECT failures FROM schedules") == 0


async def test_so_much_is_changed_on_a_day(
    api: Client, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(daily_counts.MOST, "changes of schedules", 4)
    made = await create(api)
    path = made["links"]["self"]
    for what in ("pause", "resume", "skip"):
        await act(api, made, what)
    assert (await ask(api, "PATCH", path, json={"name": "x"}))[0] == 200
    assert (await ask(api, "PATCH", path, json={"name": "y"}))[0] == 429
    assert (await ask(api, "POST", PATH, json=MONTHLY))[0] == 429
    assert (await ask(api, "POST", f"{path}/skip"))[0] == 429
    await act(api, made, "pause")
    assert (await ask(api, "POST", f"{path}/resume"))[0] == 429
    assert (await show(api, made))["name"] == "x"
    assert (await ask(api, "DELETE", path))[0] == 204
    assert len(await events(ledger, made)) == 7


async def test_a_change_to_nonsense_is_refused_and_changes_nothing(api: Client) -> None:
    made = await create(api)
    for changed, field in (
        ({"name": None}, "name"),
        ({"rule": {"every": "week"}}, "rule.day"),
        ({"period": "fortnight"}, "period"),
        ({"other": 1}, "other"),
        ({"other_emails": [f"a{n}@x.example" for n in range(25)]}, "other_emails"),
    ):
        found = await refused(api, "PATCH", made["links"]["self"], json=changed)
        assert field in found, found
    assert await show(api, made) == made


async def test_a_change_may_end_a_schedule_and_begin_it_again(
    api: Client, ledger: asyncpg.Connection
) -> None:
    made = await create(api, starts_on="2020-01-01")
    path = made["links"]["self"]
    _, ended = await ask(api, "PATCH", path, json={"ends_on": "2020-12-31"})
    assert (ended["status"], ended["next"]) == ("ended", None)
    _, again = await ask(api, "PATCH", path, json={"ends_on": None})
    assert (again["status"], again["next"]) == ("active", made["next"])
    assert (await events(ledger, made))[:3] == [
        *("schedule.created", "schedule.changed", "schedule.ended")
    ]


async def test_a_date_that_had_its_occurrence_has_no_other_one(
    api: Client, ledger: asyncpg.Connection
) -> None:
    """Today's was made this morning; then the rule changes to one that has today, later."""
    today: date = await ledger.fetchval("SELECT (now() AT TIME ZONE 'Pacific/Kiritimati')::date")
    weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[today.weekday()]
    made = await create(api, timezone="Pacific/Kiritimati", rule=WEEKLY)
    await ledger.execute(
        "INSERT INTO schedule_occurrences VALUES ($1, $2, 'skipped')",
        made["id"],
        today,
    )
    changed = {"rule": {"weekday": weekday}, "time": "23:59"}
    _, answer = await ask(api, "PATCH", made["links"]["self"], json=changed)
    assert answer["next"]["occurrence"] == str(today + timedelta(days=7))


async def test_batches_of_a_deleted_schedule_stay(api: Client, ledger: asyncpg.Connection) -> None:
    made = await create(api)
    _, batch = await ask(api, "POST", f"{PATH}/{made['id']}/run")
    assert (await ask(api, "DELETE", f"{PATH}/{made['id']}"))[0] == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/run"), ("GET", "/upcoming")):
        assert (await ask(api, method, f"{PATH}/{made['id']}{path}"))[0] == 404
    _, kept = await ask(api, "GET", f"/api/v3/batches/{batch['id']}")
    assert kept["schedule_id"] == made["id"]
    assert await events(ledger, made) == ["schedule.created", "schedule.deleted"]
