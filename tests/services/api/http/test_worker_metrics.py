"""Several workers count together, and no answer depends on the counts."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from services.api.http.metrics import HttpMetrics
from tests.services.api.api_client import Api
from tests.services.api.command import served
from tests.services.api.ledgers import new_key

SEND = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
_SENDS = re.compile(r'requests_total\{method="POST",route="[^"]+",status="202"\} (\S+)')
_TIMED = re.compile(r'seconds_count\{method="POST",route="[^"]+"\} (\S+)')
_UP = re.compile(r"ledgerpost_resource_up\{resource=\"postgres\",worker=\"(\d+)\"\} 1.0")
# Mounts a folder of 64 KiB at $TMPDIR for the command that follows.
_SMALL = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=64k none "$TMPDIR" && exec "$@"')


def workers_of(arbiter: int) -> list[int]:
    children = Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text()
    return [int(each) for each in children.split()]


def end_a_worker(number: signal.Signals) -> Callable[[int], None]:
    return lambda arbiter: os.kill(workers_of(arbiter)[0], number)


def reload(arbiter: int) -> None:
    os.kill(arbiter, signal.SIGHUP)


async def ask(session: aiohttp.ClientSession, url: str, times: int) -> list[int]:
    statuses = []
    for _ in range(times):
        async with session.post(f"{url}{SEND}") as response:
            statuses.append(response.status)
    return statuses


async def sends_counted(session: aiohttp.ClientSession, url: str) -> tuple[list[str], list[str]]:
    async with session.get(f"{url}/metrics") as response:
        text = await response.text()
        assert response.status == 200
    return _SENDS.findall(text), _TIMED.findall(text)


def client(key: str) -> aiohttp.ClientSession:
    """Return a session whose every request may meet another worker."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        headers={"Authorization": f"Bearer {key}"},
    )


async def until_counted(session: aiohttp.ClientSession, url: str, wanted: str) -> None:
    """Wait for a figure, which is counted once its answer is written, and shown within a second."""
    for _ in range(100):
        if (counted := await sends_counted(session, url)) == ([wanted], [wanted]):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{counted} were counted, not {wanted}")


# SIGABRT is what the arbiter sends a worker that stood still, as after `docker pause`.
@pytest.mark.parametrize(
    "disturb",
    [
        pytest.param(end_a_worker(signal.SIGTERM), id="a worker told to stop"),
        pytest.param(end_a_worker(signal.SIGABRT), id="a worker that stood still"),
        pytest.param(end_a_worker(signal.SIGKILL), id="a worker killed"),
        pytest.param(reload, id="all workers anew"),
    ],
)
async def test_a_new_worker_answers_and_counts_on(
    golden: str, disturb: Callable[[int], None]
) -> None:
    key = await new_key(golden)
    async with served(DATABASE_URL=golden, API_WORKERS="2") as (process, url, _), client(key) as at:
        assert await ask(at, url, 10) == [202] * 10
        await until_counted(at, url, "10.0")
        old = set(workers_of(process.pid))
        disturb(process.pid)
        gone = {next(iter(old))} if disturb is not reload else old
        while len(now := set(workers_of(process.pid))) != 2 or len(now - old) < len(gone):
            await asyncio.sleep(0.05)
        assert await ask(at, url, 10) == [202] * 10
        await until_counted(at, url, "20.0")
        async with at.get(f"{url}/health/ready") as response:
            assert response.status == 200


async def test_each_worker_that_runs_shows_its_state_and_no_other(golden: str) -> None:
    key = await new_key(golden)

    async def shown(at: aiohttp.ClientSession, url: str) -> list[str]:
        async with at.get(f"{url}/metrics") as response:
            return _UP.findall(await response.text())

    async with served(DATABASE_URL=golden, API_WORKERS="2") as (process, url, _), client(key) as at:
        async with asyncio.timeout(180):
            while len(before := await shown(at, url)) != 2:
                await asyncio.sleep(0.1)
        assert len(set(before)) == 2
        old = set(workers_of(process.pid))
        for worker in old:
            os.kill(worker, signal.SIGKILL)
        async with asyncio.timeout(180):
            while len(set(workers_of(process.pid)) - old) != 2:
                await asyncio.sleep(0.05)
            # The places of the dead ones are taken again, and are empty until then.
            while sorted(after := await shown(at, url)) != sorted(before):
                assert len(after) <= 2
                await asyncio.sleep(0.1)


def can_mount(folder: Path) -> bool:
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    return subprocess.run((*_SMALL, "sh", "true"), check=False, env=env).returncode == 0


def fill(folder: Path) -> None:
    with (folder / "full").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


async def test_workers_answer_while_their_temporary_folder_is_full(
    golden: str, tmp_path: Path
) -> None:
    if not can_mount(tmp_path):
        pytest.skip("nobody but root may mount a folder here")
    key = await new_key(golden)
    async with (
        served(
            within=(*_SMALL, "sh"), DATABASE_URL=golden, API_WORKERS="2", TMPDIR=str(tmp_path)
        ) as (process, url, lines),
        client(key) as session,
    ):
        fill(Path(f"/proc/{process.pid}/root{tmp_path}"))
        assert await ask(session, url, 10) == [202] * 10
        await until_counted(session, url, "10.0")
        assert not [line for line in lines if "was sent SIG" in line]


async def test_what_cannot_be_counted_is_answered_all_the_same(
    reader: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no room for a figure")

    monkeypatch.setattr(HttpMetrics, "record", fail)
    answer = await reader.get("/health/live", key=None)
    assert (answer.status, answer.json) == (200, {"status": "ok"})
