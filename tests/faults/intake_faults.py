"""Relays are killed while they accept a batch over the queue, and while they tell of it."""

from random import Random
from typing import Literal

from shared.amqp import topology
from tests.faults import batches, tap
from tests.faults.cases import fault
from tests.faults.world import World
from tests.peer import Peer, batch_request, peer

_TRAPS: dict[str, tuple[bytes, Literal["request", "answer"], bytes | None]] = {
    "before-its-commit": (tap.COMMIT, "request", tap.ACCEPT_BATCH),
    "after-its-commit": (tap.COMMIT, "answer", tap.ACCEPT_BATCH),
    "before-it-records-what-it-told": (tap.BATCH_TOLD, "request", None),
}


@fault("fault-22-batch-over-the-queue-relay-killed", *_TRAPS)
async def relay_killed(world: World, rng: Random, variant: str) -> None:
    """The message, of which a copy comes, makes one batch, with one answer and its events."""
    people = await batches.audience(world, rng.randrange(50, 150))
    postgres = await world.tapped()
    marker, holds, after = _TRAPS[variant]
    trap = postgres.trap(marker, holds, after=after)
    async with peer(world.amqp, world.neighbours.key) as asker:
        asked = batch_request("once", filter=batches.FILTER)
        await asker.ask(asked)
        first = world.relay(DATABASE_URL=postgres.url)
        await trap.reached()
        await first.kill()
        postgres.drop()
        for _ in range(2):
            world.relay()
        await asker.ask(asked)
        batches.mailer(world)
        await world.until(lambda: _is_stored(world), "a batch that is stored")
        [row] = await world.fetch("SELECT id FROM batches")
        await batches.finished(world, str(row["id"]), people)
        await _told_once(world, asker, str(row["id"]))
    assert await batches.charged(world) == len(people.mailed), "given back once"


async def _told_once(world: World, asker: Peer, batch: str) -> None:
    """Check that subscribers heard one answer, and each status in order; copies do not count."""
    await world.until(lambda: _is_told(world), "everything published")
    answers = await asker.events("batch-request.accepted.1")
    assert {(each["id"], each["data"]["id"]) for each in answers} == {(answers[0]["id"], batch)}
    keys = [f"batch.{status}.1" for status in ("expanding", "sending", "done")]
    await asker.events(keys[-1])
    heard = {each["id"]: each["data"]["status"] for each in await asker.events(*keys)}
    assert list(heard.values()) == ["expanding", "sending", "done"]
    assert await asker.waiting(topology.DEAD_LETTERS) == 0


async def _is_stored(world: World) -> bool:
    return bool(await world.fetch("SELECT FROM batches"))


async def _is_told(world: World) -> bool:
    tables = ("business_events", "request_answers")
    left = [
        await world.fetch(f"SELECT FROM {table} WHERE published_at IS NULL") for table in tables
    ]
    return not any(left)
