"""Requests that kill a rendering process, or never end, spoil no other request."""

import asyncio
import os
import signal

import pytest

from shared.rendering import pool
from shared.rendering import process as module
from shared.rendering.frames import RenderingError
from shared.rendering.pool import RenderPool
from shared.statements.flaws import Flaw
from tests.shared.rendering.requests import (
    expected,
    is_gone,
    ours,
    request,
    until,
)


async def test_only_the_request_that_kills_is_given_up(two: RenderPool) -> None:
    wanted = [request(number, "die" if number == 13 else None) for number in range(20)]
    made = await asyncio.gather(*map(two.message, wanted), return_exceptions=True)
    deadly = made.pop(13)
    assert isinstance(deadly, RenderingError)
    assert made == [expected(each) for each in wanted if each.message is None]


_DEADLY_PDF = (
    "-c",
    """
from shared.rendering import worker
from shared.statements.pdf import Typesetter
import os, signal, sys
compile_ = Typesetter._compile
def strike(self, files, *rest):
    if b"INV-2024-0117" in files.get("view.json", b""):
        os.kill(os.getpid(), signal.SIGKILL)
    return compile_(self, files, *rest)
Typesetter._compile = strike
worker.serve(pdf="--pdf" in sys.argv)
""",
)


async def test_a_pdf_that_kills_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", _DEADLY_PDF)
    flaws: list[Flaw] = []
    async with RenderPool(1, pdf=True, flawed=flaws.append) as opened:
        made = await opened.message(request(1))
        assert made == await opened.message(request(1))
    assert b"application/pdf" not in made.body
    assert b"could not be attached as a PDF this time" in made.body.replace(b"=\r\n", b"")
    assert [flaw.kind for flaw in flaws] == ["no_pdf", "no_pdf"]
    assert made.flaws == (flaws[0],)


async def test_a_request_that_does_not_end_is_given_up(two: RenderPool) -> None:
    with pytest.raises(RenderingError):
        await two.message(request(1, "hang"))
    assert await two.message(request(2)) == expected(request(2))


async def test_one_that_stands_still_is_replaced(
    two: RenderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ANSWER_S", 1.0)
    [process] = ours()
    os.kill(process, signal.SIGSTOP)
    assert await two.message(request(1)) == expected(request(1))
    await until(is_gone(process))


async def test_a_send_that_kills_meets_no_shared_process_again(two: RenderPool) -> None:
    with pytest.raises(RenderingError):
        await two.message(request(1, "die"))
    assert await two.message(request(2)) == expected(request(2))
    before = ours()
    for _ in range(2):
        with pytest.raises(RenderingError):
            await two.message(request(1, "die"))
    assert ours() == before
