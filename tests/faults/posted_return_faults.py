"""The API dies while clients post returned mails; each is posted again until it is answered."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random

import aiohttp

from tests.faults import returned, tap
from tests.faults.api_faults import Api
from tests.faults.cases import fault
from tests.faults.world import World
from tests.services.mailer.returns.mail_server import GONE

_AT_WORK = """SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'ledgerpost-api' AND xact_start IS NOT NULL AND state <> 'idle'"""
_COUNTED = """SELECT kind, used FROM daily_counts
    WHERE kind IN ('returned mails', 'bytes of returned mails')"""


@dataclass
class Poster:
    """Posts a bounce to each return path, to the API at `url`, until that answers 201 or 200."""

    world: World
    url: str
    statuses: list[int] = field(default_factory=list)
    attempts: int = 0

    async def post(self, paths: list[str], clients: int = returned.CONNECTIONS) -> None:
        """Return once each is answered."""
        async with asyncio.timeout(180), asyncio.TaskGroup() as group:
            for place in range(clients):
                group.create_task(self._post(paths[place::clients]))

    async def _post(self, paths: list[str]) -> None:
        for number, path in enumerate(paths):
            while not await self._is_answered(path, in_header=number % 2 == 0):
                await asyncio.sleep(0.05)

    async def _is_answered(self, path: str, *, in_header: bool) -> bool:
        head = f"Delivered-To: {path}\r\n".encode() if in_header else b""
        self.attempts += 1
        try:
            async with (
                self.world.client(self.url) as http,
                http.post(
                    "/api/v3/returns",
                    data=head + GONE,
                    params={} if in_header else {"recipient": path},
                    headers={"Content-Type": "message/rfc822"},
                ) as response,
            ):
                if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    return False  # a busy machine let its first connection to Postgres wait
                assert response.status in {200, 201}, await response.text()
                self.statuses.append(response.status)
                return True
        except (aiohttp.ClientError, OSError):
            return False


@fault("fault-31-api-killed-in-posted-returns", "before-its-commit", "after-its-commit")
async def killed_at_its_commit(world: World, rng: Random, variant: str) -> None:
    """Before: nothing is stored, nor counted for the day. After: what comes again is a copy."""
    paths = await returned.hand_over(world, rng.randrange(3, 20))
    postgres = await world.tapped()
    trap = postgres.trap(
        tap.COMMIT,
        "request" if variant == "before-its-commit" else "answer",
        skip=rng.randrange(len(paths)),
        after=tap.RETURN,
    )
    first = Api(world, postgres.url, **returned.SETTINGS)
    poster = Poster(world, first.url)
    posting = asyncio.create_task(poster.post(paths))
    await trap.reached()
    await first.process.kill()
    postgres.drop()

    async def is_over() -> bool:
        return not await world.fetch(_AT_WORK)

    await world.until(is_over, "what the dead API asked is over")
    poster.url = Api(world, **returned.SETTINGS).url
    await posting
    await _each_counts_once(world, paths)
    assert poster.attempts > len(paths), "nothing was posted again"
    if variant == "after-its-commit":
        assert HTTPStatus.OK in poster.statuses, "none was a copy"


@fault("fault-31-api-killed-in-posted-returns-at-any-time")
async def killed_at_any_time(world: World, rng: Random) -> None:
    paths = await returned.hand_over(world, 400 if world.full else 60)
    running = Api(world, **returned.SETTINGS)
    poster = Poster(world, running.url)
    posting = asyncio.create_task(poster.post(paths))
    for part in range(6 if world.full else 3):
        wanted = part * len(paths) // 10

        async def so_many(wanted: int = wanted) -> bool:
            return len(poster.statuses) > wanted

        await world.until(so_many, "some returns answered")
        await asyncio.sleep(rng.uniform(0, 0.05))
        await running.process.kill()
        running = Api(world, **returned.SETTINGS)
        poster.url = running.url
    await posting
    await _each_counts_once(world, paths)


async def _each_counts_once(world: World, paths: list[str]) -> None:
    """Every bounce has its effect, and its share of the day's limits, once."""
    await returned.each_counts_once(world, paths)
    counted = dict(map(tuple, await world.fetch(_COUNTED)))
    [[octets]] = await world.fetch("SELECT sum(octet_length(raw)) FROM returned_mails")
    assert counted == {"returned mails": len(paths), "bytes of returned mails": octets}
