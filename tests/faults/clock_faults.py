"""A worker's clock is wrong, clocks change, a date has passed: Postgres's clock decides."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from provision.ports import free_ports
from tests.faults.cases import Missing, fault
from tests.faults.processes import Child
from tests.faults.world import World

_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
# The days on which New York sets its clocks, ahead and back.
_SET_AHEAD, _SET_BACK = "2031-03-09", "2031-11-02"


@fault("fault-18-clocks-an-hour-off", "worker-ahead", "worker-behind")
async def an_hour_off(world: World, rng: Random, variant: str) -> None:
    if not _LIBRARIES:
        raise Missing("libfaketime is not installed")
    one, other = (-1, 1) if variant == "worker-ahead" else (1, -1)
    [port] = free_ports(1)
    started = [
        world.relay(**_wall_clock(one)),
        world.mailer(**_wall_clock(other)),
        # gunicorn sleeps in ways that libfaketime follows only when it moves all clocks.
        world.api(port, **_clock(1), NO_FAKE_STAT="1"),
    ]
    due = (await _now(world)) + timedelta(seconds=rng.uniform(5, 8))
    own, world.http = world.http, world.client(f"http://127.0.0.1:{port}")
    await world.until(lambda: _answers(world), "the API")
    send = await world.send(rng.randrange(5), send_at=due.isoformat())
    now = await world.send(customer=5, send_at="2020-01-01T00:00:00+05:30")
    await world.until_count(f"state = 'sent' AND send_id = '{now}'", 1)
    while await _now(world) < due - timedelta(seconds=0.2):
        early = [mail for mail in world.judge.accepted if mail.send == send]
        assert not early, "mailed before it was due"
        await asyncio.sleep(0.02)
    await world.settled()
    query = "SELECT sent_at - $1 AS late FROM deliveries WHERE send_id = $2"
    late = await world.fetch(query, due, send)
    assert min(row["late"] for row in late) >= timedelta(0)
    world.note(f"late by at most {max(row['late'] for row in late)}")
    await world.http.close()
    world.http = own
    assert all(_is_off(child) for child in started), "the clocks were right after all"


@fault("fault-18-day-on-which-the-clocks-are-set")
async def clocks_set(world: World, rng: Random) -> None:
    """A date means its first instant in the business's timezone, also on days of 23 or 25 h."""
    new_york = ZoneInfo("America/New_York")
    await world.fetch("UPDATE businesses SET timezone = 'America/New_York' WHERE id = 1")
    world.relay()
    world.mailer()
    for day in (_SET_AHEAD, _SET_BACK):
        first = datetime.fromisoformat(day).replace(tzinfo=new_york)
        after = first.replace(hour=rng.randrange(3, 24), minute=rng.randrange(60))
        asked = await world.ask(send_tome=day)
        assert datetime.fromisoformat(asked["send_at"]) == first.astimezone(UTC)
        asked = await world.ask(5, send_at=after.isoformat())
        assert datetime.fromisoformat(asked["send_at"]) == after.astimezone(UTC)
    past = await world.ask(7, send_tome="2024-03-10")
    assert past["message"] == "Transactions sent"
    await world.until_count("state = 'sent'", 1)
    assert [mail.send for mail in world.judge.accepted] == [past["id"]]
    assert await world.count("state = 'scheduled'") == 4
    # What is left would wait for years.
    await world.fetch("UPDATE deliveries SET due_at = now() WHERE state = 'scheduled'")
    await world.settled()


def _clock(hours: int) -> dict[str, str]:
    return {"LD_PRELOAD": str(_LIBRARIES[0]), "FAKETIME": f"{hours:+}h", "TZ": "UTC"}


def _wall_clock(hours: int) -> dict[str, str]:
    return _clock(hours) | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _is_off(child: Child) -> bool:
    """Whether the times in its log are wrong, or it logged none."""
    stamps = [
        line.split('"timestamp":"')[1][:19]
        for line in child.tail().split("\n")
        if '"timestamp":"' in line
    ]
    return all(
        abs(datetime.fromisoformat(f"{stamp}+00:00") - datetime.now(UTC)) > timedelta(minutes=50)
        for stamp in stamps
    )


async def _now(world: World) -> datetime:
    now: datetime = (await world.fetch("SELECT clock_timestamp()"))[0][0]
    return now


async def _answers(world: World) -> bool:
    async with world.http.get("/health/ready") as response:
        return response.status == 200
