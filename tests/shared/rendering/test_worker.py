"""The messages that rendering processes make."""

import asyncio
import os
import signal
from base64 import encodebytes
from datetime import UTC, datetime
from email import message_from_bytes, policy
from uuid import UUID

import pytest

from shared.rendering import worker
from shared.rendering.frames import RenderingError
from shared.rendering.pool import RenderPool
from shared.statements.decoding import StatementError
from shared.statements.render import Renderer
from tests.logged import Logged
from tests.shared.rendering.requests import (
    DATE,
    SENDER,
    expected,
    ours,
    request,
)


async def test_messages_are_those_that_one_process_would_make() -> None:
    async with RenderPool(1, pdf=False) as opened:
        wanted = [request(number, f"message {number}") for number in range(30)]
        made = await asyncio.gather(*map(opened.message, wanted))
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
async def test_a_message_is_dated_when_its_statement_was_frozen(
    accepted: datetime, dated: str
) -> None:
    async with RenderPool(1, pdf=False) as opened:
        made = await opened.message(request(1)._replace(accepted=accepted))
    assert f"\r\nDate: {dated}\r\n".encode() in made.headers


async def test_the_pdf_is_part_of_a_message() -> None:
    async with RenderPool(1, pdf=True) as opened:
        made = await opened.message(request(1))
    rendered = Renderer().render(request(1).content.encode())
    assert made == worker.message(rendered, UUID(int=1), SENDER, DATE)
    assert b"application/pdf" in made.body


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x58\0\0\0\xf0" + bytes(range(256)) * 400


async def test_the_logo_goes_the_whole_way(two: RenderPool) -> None:
    wanted = [request(number)._replace(logo=PNG if number % 2 else b"") for number in range(8)]
    made = await asyncio.gather(*map(two.message, wanted))
    assert [encodebytes(PNG).replace(b"\n", b"\r\n") in each.body for each in made] == [
        False,
        True,
    ] * 4
    rendered = Renderer(pdf=False).render(wanted[1].content.encode(), logo=PNG)
    assert made[1] == worker.message(rendered, UUID(int=1), SENDER, DATE)
    assert made[0] == expected(wanted[0])


async def test_the_copy_of_the_business_says_so(two: RenderPool) -> None:
    made = await two.message(request(1))
    subjects = []
    for email in ("accounts@kente.example", "esi@ofori.example"):
        data = made.envelope(email, UUID(int=9)).data
        subjects.append(message_from_bytes(data, policy=policy.default)["Subject"])
    assert [subject.startswith("Copy: ") for subject in subjects] == [True, False]


async def test_what_cannot_be_made_is_its_requests_error_only(two: RenderPool) -> None:
    no_statement = request(2)._replace(content="{}")
    no_date = request(3)._replace(accepted=datetime(2024, 12, 1))  # noqa: DTZ001
    first, second, third, fourth = await asyncio.gather(
        *map(two.message, [request(1), no_statement, no_date, request(4)]), return_exceptions=True
    )
    assert (first, fourth) == (expected(request(1)), expected(request(4)))
    assert isinstance(second, StatementError)
    assert isinstance(third, RenderingError)
    assert "offset-naive" in str(third)


async def test_scripts_without_a_font_are_told_once_at_the_start(logged: Logged) -> None:
    uncovered = Renderer().uncovered()
    async with RenderPool(1, pdf=True) as opened:
        [process] = ours()
        os.kill(process, signal.SIGKILL)
        await opened.message(request(1))
    remarks = [log["text"] for log in logged() if log["event"] == "rendering_remark"]
    told = [text for text in remarks if text.startswith("no font here has letters of")]
    assert told == (
        [f"no font here has letters of {', '.join(uncovered)}: PDFs show boxes for them"]
        if uncovered
        else []
    )
