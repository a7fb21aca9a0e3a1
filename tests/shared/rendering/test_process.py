"""A rendering process: its start, its environment and its end."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
import uvloop

from shared.rendering import pool
from shared.rendering.pool import NoRenderProcess, RenderPool
from tests.shared.rendering.requests import (
    alive,
    expected,
    ours,
    processes_of,
    request,
    told,
)


def test_a_process_does_not_outlive_a_mailer_that_is_killed() -> None:
    program = """
import asyncio
from shared.rendering.pool import RenderPool
async def main():
    async with RenderPool(1, pdf=False):
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as mailer:
        assert mailer.stdout is not None
        assert mailer.stdout.readline() == b"ready\n"
        [process] = processes_of(mailer.pid)
        os.kill(process, signal.SIGTERM)
        time.sleep(0.2)
        assert alive(process), "SIGTERM is not its to heed"
        mailer.kill()
    end = time.monotonic() + 20
    while alive(process):
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.02)


async def test_it_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://user:secret@smarthost.example")
    async with RenderPool(1, pdf=False):
        [process] = ours()
        assert b"secret" not in told(process, "environ")
        assert told(process, "oom_score_adj") == b"1000\n"


async def test_none_is_left_behind(two: RenderPool) -> None:
    await two.message(request(1))
    await two.__aexit__()
    assert ours() == []


def test_on_the_mailers_own_event_loop() -> None:
    async def scenario() -> None:
        async with RenderPool(2, pdf=False) as opened:
            wanted = [request(number) for number in range(60)]
            half = [asyncio.create_task(opened.message(each)) for each in wanted]
            await asyncio.sleep(0)
            for process in ours():
                os.kill(process, signal.SIGKILL)
            assert await asyncio.gather(*half) == [expected(each) for each in wanted]
            assert await opened.message(request(1)) == expected(request(1))
        assert ours() == []

    uvloop.run(scenario())


async def test_a_program_that_does_not_start_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", ("-c", "raise SystemExit('no fonts here')"))
    with pytest.raises(NoRenderProcess, match="does not start"):
        async with RenderPool(1, pdf=False):
            pass
    assert ours() == []
