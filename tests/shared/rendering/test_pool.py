"""Compositors: their letters, and their orders if one of them dies."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvloop
from structlog.testing import capture_logs

from shared.mail.mailbox import Mailbox
from shared.mail.message import Letter
from shared.rendering import child, pool, worker
from shared.rendering.orders import CompositorError, Order
from shared.rendering.pool import Compositors, NoCompositor
from shared.statements.model import StatementError
from shared.statements.printing import Flaw
from shared.statements.render import Renderer
from tests.shared.statements.snapshots import frozen, many, snapshot

_SENDER = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
_DATE = datetime(2024, 12, 1, tzinfo=UTC)

# The program, with orders that kill it, that never end, and with a library that prints.
_DEADLY = """
import os, signal, time
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, signal.SIG_IGN)
from shared.rendering import worker
worker._LIMIT = 1
from shared.statements.render import Renderer
render = Renderer.render
def strike(self, content, message, **options):
    print("noise")
    if message == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if message in ("hang", "slow"):
        time.sleep(3600 if message == "hang" else 0.2)
    return render(self, content, message, **options)
Renderer.render = strike
worker.work(pdf={pdf})
"""


def order(number: int, message: str | None = None) -> Order:
    content = frozen(snapshot(opening=str(number))).decode()
    return Order(content, message, UUID(int=number), _SENDER, _DATE)


def expected(wanted: Order) -> Letter:
    rendered = Renderer(pdf=False).render(wanted.content.encode(), wanted.message)
    return worker.letter(rendered, wanted.send_id, wanted.sender, wanted.accepted)


def compositors_of(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
        if b"worker.work" in told(int(child), "cmdline")
    ]


def told(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def ours() -> list[int]:
    return compositors_of(os.getpid())


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


@pytest.fixture
async def two(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Compositors]:
    monkeypatch.setattr(pool, "_PROGRAM", _DEADLY)
    async with Compositors(2, pdf=False) as opened:
        yield opened


async def test_letters_are_those_that_one_process_would_make() -> None:
    async with Compositors(1, pdf=False) as opened:
        wanted = [order(number, f"message {number}") for number in range(30)]
        made = await asyncio.gather(*map(opened.letter, wanted))
    assert made == [expected(each) for each in wanted]


@pytest.mark.parametrize(
    ("accepted", "dated"),
    [
        (datetime(2026, 9, 20, tzinfo=UTC), "Sun, 22 Nov 2026 16:00:00 +0000"),
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), "Sun, 22 Nov 2026 16:00:00 +0000"),
        (datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC), "Sat, 02 Jan 2027 03:04:05 +0000"),
    ],
    ids=["scheduled long ago", "at once", "the statement of an earlier send"],
)
async def test_a_letter_is_dated_when_its_statement_was_frozen(
    accepted: datetime, dated: str
) -> None:
    async with Compositors(1, pdf=False) as opened:
        made = await opened.letter(order(1)._replace(accepted=accepted))
    assert f"\r\nDate: {dated}\r\n".encode() in made.headers


async def test_the_pdf_is_part_of_a_letter() -> None:
    async with Compositors(1, pdf=True) as opened:
        made = await opened.letter(order(1))
    rendered = Renderer().render(order(1).content.encode())
    assert made == worker.letter(rendered, UUID(int=1), _SENDER, _DATE)
    assert b"application/pdf" in made.body


async def test_what_cannot_be_made_is_its_orders_error_only(two: Compositors) -> None:
    no_statement = order(2)._replace(content="{}")
    no_date = order(3)._replace(accepted=datetime(2024, 12, 1))  # noqa: DTZ001
    first, second, third, fourth = await asyncio.gather(
        *map(two.letter, [order(1), no_statement, no_date, order(4)]), return_exceptions=True
    )
    assert (first, fourth) == (expected(order(1)), expected(order(4)))
    assert isinstance(second, StatementError)
    assert isinstance(third, CompositorError)
    assert "offset-naive" in str(third)


async def test_a_process_killed_while_idle_is_replaced(two: Compositors) -> None:
    [process] = ours()
    os.kill(process, signal.SIGKILL)
    assert await two.letter(order(1)) == expected(order(1))


async def test_only_the_order_that_kills_is_given_up(two: Compositors) -> None:
    wanted = [order(number, "die" if number == 13 else None) for number in range(20)]
    made = await asyncio.gather(*map(two.letter, wanted), return_exceptions=True)
    deadly = made.pop(13)
    assert isinstance(deadly, CompositorError)
    assert made == [expected(each) for each in wanted if each.message is None]


_DEADLY_PDF = """
from shared.rendering import worker
from shared.statements.pdf import Press
import os, signal
compile_ = Press._compile
def strike(self, source, data, *rest):
    if "INV-2024-0117" in data.get("statement", ""):
        os.kill(os.getpid(), signal.SIGKILL)
    return compile_(self, source, data, *rest)
Press._compile = strike
worker.work(pdf={pdf})
"""


async def test_a_pdf_that_kills_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", _DEADLY_PDF)
    flaws: list[Flaw] = []
    async with Compositors(1, pdf=True, flawed=flaws.append) as opened:
        made = await opened.letter(order(1))
        assert made == await opened.letter(order(1))
    assert b"application/pdf" not in made.body
    assert b"could not be attached as a PDF this time" in made.body.replace(b"=\r\n", b"")
    assert [flaw.kind for flaw in flaws] == ["no_pdf", "no_pdf"]
    assert made.flaws == (flaws[0],)


async def test_scripts_without_a_font_are_told_once_at_the_start() -> None:
    uncovered = Renderer().uncovered()
    with capture_logs() as logs:
        async with Compositors(1, pdf=True) as opened:
            [process] = ours()
            os.kill(process, signal.SIGKILL)
            await opened.letter(order(1))
    told = [log["event"] for log in logs if log["event"].startswith("no font here has letters of")]
    assert told == (
        [f"no font here has letters of {', '.join(uncovered)}: PDFs show boxes for them"]
        if uncovered
        else []
    )


async def test_a_process_ends_after_a_long_statement_and_no_order_is_lost() -> None:
    long = order(99)._replace(content=frozen(snapshot(many(1200))).decode())
    async with Compositors(1, pdf=False) as opened:
        [before] = ours()
        await opened.letter(order(1))
        assert ours() == [before]
        wanted = [order(2), long, order(3), order(4)]
        made = await asyncio.gather(*map(opened.letter, wanted))
        assert made == [expected(each) for each in wanted]
        await opened.check()
        assert await opened.letter(order(5)) == expected(order(5))
        await until(is_gone(before))
    assert ours() == []


async def test_an_order_that_does_not_end_is_given_up(two: Compositors) -> None:
    with pytest.raises(CompositorError):
        await two.letter(order(1, "hang"))
    assert await two.letter(order(2)) == expected(order(2))


async def test_there_are_as_many_processes_as_there_is_work_for(two: Compositors) -> None:
    assert len(ours()) == 1
    slow = [asyncio.create_task(two.letter(order(number, "slow"))) for number in range(30)]

    async def both_work() -> bool:
        return len(ours()) == 2

    await until(both_work)
    await asyncio.gather(*slow)
    assert len(ours()) == 2


async def test_none_is_left_behind(two: Compositors) -> None:
    await two.letter(order(1))
    await two.__aexit__()
    assert ours() == []


async def test_a_program_that_does_not_start_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", "raise SystemExit('no fonts here')")
    with pytest.raises(NoCompositor, match="does not start"):
        async with Compositors(1, pdf=False):
            pass
    assert ours() == []


def test_a_compositor_does_not_outlive_a_mailer_that_is_killed() -> None:
    program = """
import asyncio
from shared.rendering.pool import Compositors
async def main():
    async with Compositors(1, pdf=False):
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as mailer:
        assert mailer.stdout is not None
        assert mailer.stdout.readline() == b"ready\n"
        [process] = compositors_of(mailer.pid)
        os.kill(process, signal.SIGTERM)
        time.sleep(0.2)
        assert alive(process), "SIGTERM is not its to heed"
        mailer.kill()
    end = time.monotonic() + 20
    while alive(process):
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_on_the_mailers_own_event_loop() -> None:
    async def scenario() -> None:
        async with Compositors(2, pdf=False) as opened:
            wanted = [order(number) for number in range(60)]
            half = [asyncio.create_task(opened.letter(each)) for each in wanted]
            await asyncio.sleep(0)
            for process in ours():
                os.kill(process, signal.SIGKILL)
            assert await asyncio.gather(*half) == [expected(each) for each in wanted]
            assert await opened.letter(order(1)) == expected(order(1))
        assert ours() == []

    uvloop.run(scenario())


async def test_it_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://user:secret@smarthost.example")
    async with Compositors(1, pdf=False):
        [process] = ours()
        assert b"secret" not in told(process, "environ")
        assert told(process, "oom_score_adj") == b"1000\n"


async def test_where_none_starts_nothing_is_the_orders_fault_and_starts_are_few(
    two: Compositors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_PAUSE", 600.0)
    starts = 0
    start = asyncio.create_subprocess_exec

    async def counted(*command: str, **options: Any) -> asyncio.subprocess.Process:
        nonlocal starts
        starts += 1
        return await start(*command, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
    sound, two._program = two._program, "raise SystemExit('no fonts here')"
    [process] = ours()
    os.kill(process, signal.SIGKILL)
    await until(is_gone(process))
    for _ in range(5):
        made = await asyncio.gather(*map(two.letter, map(order, range(20))), return_exceptions=True)
        assert {type(each) for each in made} == {NoCompositor}
    assert starts <= 2, "one for all, and one for those that may have killed the last"
    with pytest.raises(NoCompositor):
        await two.check()
    two._program = sound
    monkeypatch.setattr(pool, "_PAUSE", 0.0)
    assert await two.letter(order(1)) == expected(order(1))
    await two.check()


def is_gone(process: int) -> Callable[[], Awaitable[bool]]:
    async def gone() -> bool:
        return process not in ours()

    return gone


async def test_one_that_stands_still_is_replaced(
    two: Compositors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_SILENCE", 1.0)
    [process] = ours()
    os.kill(process, signal.SIGSTOP)
    assert await two.letter(order(1)) == expected(order(1))
    await until(is_gone(process))


async def test_a_send_that_kills_meets_no_shared_process_again(two: Compositors) -> None:
    with pytest.raises(CompositorError):
        await two.letter(order(1, "die"))
    assert await two.letter(order(2)) == expected(order(2))
    before = ours()
    for _ in range(2):
        with pytest.raises(CompositorError):
            await two.letter(order(1, "die"))
    assert ours() == before
