"""The listener for returned mail dies, or Postgres does, while mail servers hand mails over."""

import asyncio
from random import Random
from typing import Literal

from tests.faults import returned, tap
from tests.faults.cases import fault
from tests.faults.returned import CONNECTIONS, Bouncer
from tests.faults.world import World


@fault("fault-31-listener-killed", "between-rcpt-and-data", "in-data")
async def killed_in_a_conversation(world: World, rng: Random, variant: str) -> None:
    """What the mail server has not heard 250 about is not stored, and comes again."""
    paths = await returned.hand_over(world, rng.randrange(3, 20))
    halt = "rcpt" if variant == "between-rcpt-and-data" else "content"
    bouncer = Bouncer(returned.free_port(), halts_at=halt)  # type: ignore[arg-type]
    first = returned.listener(world, bouncer.port)
    sending = asyncio.create_task(bouncer.send(paths))
    await bouncer.halted.wait()
    await first.kill()
    bouncer.released.set()
    returned.listener(world, bouncer.port)
    await sending
    await returned.each_counts_once(world, paths)


@fault(
    "fault-31-listener-killed",
    "before-its-commit",
    "after-its-commit",
    "before-its-commit-by-lmtp",
    "after-its-commit-by-lmtp",
)
async def killed_at_its_commit(world: World, rng: Random, variant: str) -> None:
    """Before: nothing is stored. After, without a reply: what comes again is a copy."""
    paths = await returned.hand_over(world, rng.randrange(3, 20))
    protocol: Literal["smtp", "lmtp"] = "lmtp" if variant.endswith("lmtp") else "smtp"
    bouncer = Bouncer(returned.free_port(), protocol)
    postgres = await world.tapped()
    trap = postgres.trap(
        tap.COMMIT,
        "request" if variant.startswith("before") else "answer",
        skip=rng.randrange(-(-len(paths) // CONNECTIONS)),  # a commit stores that many at most
        after=tap.RETURN,
    )
    first = returned.listener(world, bouncer.port, protocol, DATABASE_URL=postgres.url)
    sending = asyncio.create_task(bouncer.send(paths))
    await trap.reached()
    await first.kill()
    postgres.drop()
    returned.listener(world, bouncer.port, protocol)
    await sending
    await returned.each_counts_once(world, paths)
    assert bouncer.attempts > len(paths), "nothing was sent again"


@fault("fault-31-listener-killed-at-any-time")
async def killed_at_any_time(world: World, rng: Random) -> None:
    paths = await returned.hand_over(world, 400 if world.full else 60)
    bouncer = Bouncer(returned.free_port())
    sending = asyncio.create_task(bouncer.send(paths))
    for part in range(8 if world.full else 3):
        running = returned.listener(world, bouncer.port)
        wanted = part * len(paths) // 10

        async def so_many(wanted: int = wanted) -> bool:
            return len(bouncer.accepted) > wanted

        await world.until(so_many, "some bounces accepted")
        await asyncio.sleep(rng.uniform(0, 0.05))
        await running.kill()
    returned.listener(world, bouncer.port)
    await sending
    await returned.each_counts_once(world, paths)


@fault("fault-31-postgres-restarts", "killed", "stopped", breaks="postgres")
async def postgres_restarts(world: World, rng: Random, variant: str) -> None:
    """The listener says 451 meanwhile, and lives on."""
    paths = await returned.hand_over(world, 400 if world.full else 60)
    bouncer, postgres = Bouncer(returned.free_port()), world.neighbours.postgres
    running = returned.listener(world, bouncer.port)
    sending = asyncio.create_task(bouncer.send(paths))

    async def some() -> bool:
        return len(bouncer.accepted) > rng.randrange(1, 30)

    await world.until(some, "some bounces accepted")
    await asyncio.to_thread(postgres.kill if variant == "killed" else postgres.stop)
    await asyncio.sleep(rng.uniform(0, 1))
    await asyncio.to_thread(postgres.start)
    await sending
    assert running.alive
    await returned.each_counts_once(world, paths)


@fault("fault-31-maildir-reader-killed", "before-its-commit", "after-its-commit", "at-any-time")
async def maildir_reader_killed(world: World, rng: Random, variant: str) -> None:
    """A file that was stored and not deleted is a copy."""
    paths = await returned.hand_over(world, 400 if world.full else 30)
    maildir = world.folder / "maildir"
    returned.fill(maildir, paths)
    given = {"RETURNS_MAILDIR": str(maildir)}

    async def is_empty() -> bool:
        return not any((maildir / "new").iterdir())

    if variant == "at-any-time":
        for _ in range(8 if world.full else 3):
            before = len(list((maildir / "new").iterdir()))
            running = returned.listener(world, returned.free_port(), **given)

            async def is_at_work(before: int = before) -> bool:
                return len(list((maildir / "new").iterdir())) < before or await is_empty()

            await world.until(is_at_work, "some files taken in")
            await asyncio.sleep(rng.uniform(0, 0.02))
            await running.kill()
    else:
        postgres = await world.tapped()
        holds: Literal["request", "answer"] = (
            "request" if variant == "before-its-commit" else "answer"
        )
        trap = postgres.trap(tap.COMMIT, holds, skip=rng.randrange(3), after=tap.RETURN)
        first = returned.listener(world, returned.free_port(), DATABASE_URL=postgres.url, **given)
        await trap.reached()
        await first.kill()
        postgres.drop()
        assert not await is_empty(), "the case proves nothing"
    returned.listener(world, returned.free_port(), **given)
    await world.until(is_empty, "all files taken in")
    await returned.each_counts_once(world, paths)
