"""Processes that make letters: what they make, and what becomes of orders when one of them dies."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from services.mailer import compositor, compositors
from services.mailer.addresses import Mailbox
from services.mailer.compositor import CompositorError, Order
from services.mailer.compositors import Compositors
from services.mailer.letter import Letter
from shared.statement.model import StatementError
from shared.statement.render import Renderer
from tests.shared.statement.snapshots import frozen, snapshot

_SENDER = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
_DATE = datetime(2024, 12, 1, tzinfo=UTC)

# The program, with orders that kill it, that never end, and with a library that prints.
_DEADLY = """
import os, signal, time
from services.mailer import compositor
from shared.statement.render import Renderer
render = Renderer.render
def strike(self, content, message):
    print("noise")
    if message == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if message == "hang":
        compositor.signal.alarm(1)
    if message in ("hang", "slow"):
        time.sleep(3600 if message == "hang" else 0.2)
    return render(self, content, message)
Renderer.render = strike
compositor.work(pdf={pdf})
"""


def order(number: int, message: str | None = None) -> Order:
    content = frozen(snapshot(opening=str(number))).decode()
    return Order(content, message, UUID(int=number), _SENDER, _DATE)


def expected(wanted: Order) -> Letter:
    rendered = Renderer(pdf=False).render(wanted.content.encode(), wanted.message)
    return compositor.letter(rendered, wanted.send_id, wanted.sender, wanted.date)


def children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


@pytest.fixture
async def two(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Compositors]:
    monkeypatch.setattr(compositors, "_PROGRAM", _DEADLY)
    async with Compositors(2, pdf=False) as opened:
        yield opened


async def test_letters_are_those_that_one_process_would_make() -> None:
    async with Compositors(1, pdf=False) as opened:
        wanted = [order(number, f"message {number}") for number in range(30)]
        made = await asyncio.gather(*map(opened.letter, wanted))
    assert made == [expected(each) for each in wanted]


async def test_the_pdf_is_part_of_a_letter() -> None:
    async with Compositors(1, pdf=True) as opened:
        made = await opened.letter(order(1))
    rendered = Renderer().render(order(1).content.encode())
    assert made == compositor.letter(rendered, UUID(int=1), _SENDER, _DATE)
    assert b"application/pdf" in made.body


async def test_what_cannot_be_made_is_its_orders_error_only(two: Compositors) -> None:
    no_statement = order(2)._replace(content="{}")
    no_date = order(3)._replace(date=datetime(2024, 12, 1))  # noqa: DTZ001
    first, second, third, fourth = await asyncio.gather(
        *map(two.letter, [order(1), no_statement, no_date, order(4)]), return_exceptions=True
    )
    assert (first, fourth) == (expected(order(1)), expected(order(4)))
    assert isinstance(second, StatementError)
    assert isinstance(third, CompositorError)
    assert "date has no timezone" in str(third)


async def test_a_process_killed_while_idle_is_replaced(two: Compositors) -> None:
    [process] = children(os.getpid())
    os.kill(process, signal.SIGKILL)
    assert await two.letter(order(1)) == expected(order(1))


async def test_only_the_order_that_kills_is_given_up(two: Compositors) -> None:
    wanted = [order(number, "die" if number == 13 else None) for number in range(20)]
    made = await asyncio.gather(*map(two.letter, wanted), return_exceptions=True)
    deadly = made.pop(13)
    assert isinstance(deadly, CompositorError)
    assert made == [expected(each) for each in wanted if each.message is None]


async def test_an_order_that_does_not_end_is_given_up(two: Compositors) -> None:
    with pytest.raises(CompositorError):
        await two.letter(order(1, "hang"))
    assert await two.letter(order(2)) == expected(order(2))


async def test_there_are_as_many_processes_as_there_is_work_for(two: Compositors) -> None:
    assert len(children(os.getpid())) == 1
    slow = [asyncio.create_task(two.letter(order(number, "slow"))) for number in range(30)]

    async def both_work() -> bool:
        return len(children(os.getpid())) == 2

    await until(both_work)
    await asyncio.gather(*slow)
    assert len(children(os.getpid())) == 2


async def test_none_is_left_behind(two: Compositors) -> None:
    await two.letter(order(1))
    await two.__aexit__()
    assert children(os.getpid()) == []


async def test_a_program_that_does_not_start_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compositors, "_PROGRAM", "raise SystemExit('no fonts here')")
    with pytest.raises(CompositorError, match="does not start"):
        async with Compositors(1, pdf=False):
            pass
    assert children(os.getpid()) == []


def test_a_compositor_does_not_outlive_a_mailer_that_is_killed() -> None:
    program = """
import asyncio
from services.mailer.compositors import Compositors
async def main():
    async with Compositors(1, pdf=False):
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as mailer:
        assert mailer.stdout is not None
        assert mailer.stdout.readline() == b"ready\n"
        [process] = children(mailer.pid)
        os.kill(process, signal.SIGTERM)  # not its to heed
        mailer.kill()
    end = time.monotonic() + 20
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.02)
