"""The pool: how many processes there are, and how dead ones are replaced."""

import asyncio
import os
import signal
from typing import Any

import pytest

from shared.rendering import pool
from shared.rendering.pool import NoRenderProcess, RenderPool
from shared.rendering.queue import RenderQueue
from tests.shared.rendering.requests import (
    DEADLY,
    expected,
    is_gone,
    ours,
    request,
    until,
)
from tests.shared.statements.snapshots import frozen, many, snapshot


async def test_a_process_killed_while_idle_is_replaced(two: RenderPool) -> None:
    [process] = ours()
    os.kill(process, signal.SIGKILL)
    assert await two.message(request(1)) == expected(request(1))


async def test_a_process_ends_after_a_long_statement_and_no_request_is_lost() -> None:
    long = request(99)._replace(content=frozen(snapshot(many(1200))).decode())
    async with RenderPool(1, pdf=False) as opened:
        [before] = ours()
        await opened.message(request(1))
        assert ours() == [before]
        wanted = [request(2), long, request(3), request(4)]
        made = await asyncio.gather(*map(opened.message, wanted))
        assert made == [expected(each) for each in wanted]
        await opened.check()
        assert await opened.message(request(5)) == expected(request(5))
        await until(is_gone(before))
    assert ours() == []


async def test_there_are_as_many_processes_as_there_is_work_for(two: RenderPool) -> None:
    assert len(ours()) == 1
    slow = [asyncio.create_task(two.message(request(number, "slow"))) for number in range(30)]

    async def both_work() -> bool:
        return len(ours()) == 2

    await until(both_work)
    await asyncio.gather(*slow)
    assert len(ours()) == 2


@pytest.mark.parametrize("pdf", [False, True], ids=["without PDF", "with PDF"])
async def test_a_queue_lets_enough_through_for_all_processes(
    monkeypatch: pytest.MonkeyPatch, *, pdf: bool
) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", DEADLY)
    async with RenderQueue(2, pdf=pdf) as opened:
        slow = [
            asyncio.create_task(opened.message(number, request(number, "slow")))
            for number in range(30)
        ]

        async def both_work() -> bool:
            return len(ours()) == 2

        await until(both_work)
        await asyncio.gather(*slow)


async def test_where_none_starts_nothing_is_the_requests_fault_and_starts_are_few(
    two: RenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_PAUSE_S", 600.0)
    starts = 0
    start = asyncio.create_subprocess_exec

    async def counted(*command: str, **options: Any) -> asyncio.subprocess.Process:
        nonlocal starts
        starts += 1
        return await start(*command, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
    sound, two._program = two._program, ("-c", "raise SystemExit('no fonts here')")
    [process] = ours()
    os.kill(process, signal.SIGKILL)
    await until(is_gone(process))
    for _ in range(5):
        made = await asyncio.gather(
            *map(two.message, map(request, range(20))), return_exceptions=True
        )
        assert {type(each) for each in made} == {NoRenderProcess}
    assert starts <= 2, "one for all, and one for those that may have killed the last"
    with pytest.raises(NoRenderProcess):
        await two.check()
    two._program = sound
    monkeypatch.setattr(pool, "_PAUSE_S", 0.0)
    assert await two.message(request(1)) == expected(request(1))
    await two.check()
