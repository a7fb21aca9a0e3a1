"""Messages of long statements delay no others, and their mails leave places to those."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from services.mailer.delivery import composer
from services.mailer.delivery.claims import Claims
from services.mailer.delivery.composer import Composer
from shared.deliveries.worker import Claim
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message
from shared.rendering import queue
from shared.rendering.frames import RenderRequest
from shared.rendering.pool import RenderPool
from shared.rendering.queue import QueueFull, RenderQueue
from tests.shared.statements.snapshots import frozen, snapshot

_SENDER = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
_NOW = datetime(2024, 12, 1, tzinfo=UTC)
LONG, SHORT = frozen(snapshot(opening="1" * 20)).decode(), frozen(snapshot()).decode()


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_LONG", len(LONG) - 1)
    assert len(SHORT) < len(LONG)


@asynccontextmanager
async def held(monkeypatch: pytest.MonkeyPatch, made: list[str]) -> AsyncIterator[asyncio.Event]:
    """Every long message waits until the event is set; `made` has the messages of all that end."""
    go = asyncio.Event()
    make = RenderPool.message

    async def slowly(self: RenderPool, request: RenderRequest) -> Message:
        if request.content == LONG:
            await go.wait()
        message = await make(self, request)
        made.append(str(request.message))
        return message

    monkeypatch.setattr(RenderPool, "message", slowly)
    yield go
    go.set()


def request(content: str, message: str) -> RenderRequest:
    return RenderRequest(content, message, uuid4(), _SENDER, _NOW)


async def test_a_short_message_passes_long_ones_and_those_take_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    async with RenderQueue(1, pdf=False) as opened, held(monkeypatch, made) as go:
        asked = [(1, LONG, "1a"), (1, LONG, "1b"), (1, LONG, "1c"), (2, LONG, "2a")]
        tasks = [
            asyncio.create_task(opened.message(business, request(content, message)))
            for business, content, message in asked
        ]
        await asyncio.sleep(0)
        await asyncio.wait_for(opened.message(2, request(SHORT, "2 short")), 30)
        assert made == ["2 short"]
        go.set()
        await asyncio.gather(*tasks)
    assert made == ["2 short", "1a", "1b", "2a", "1c"]


async def test_a_business_has_few_long_messages_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async with RenderQueue(1, pdf=False) as opened, held(monkeypatch, []) as go:
        tasks = [
            asyncio.create_task(opened.message(1, request(LONG, str(number))))
            for number in range(9)
        ]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await opened.message(1, request(LONG, "one more"))
        other = asyncio.create_task(opened.message(2, request(LONG, "another's")))
        go.set()
        await asyncio.gather(*tasks, other)


class _Statements:
    """Claims of which every statement is long."""

    async def content(self, _: Claim) -> str:
        return LONG


def claim(business: int, send: UUID) -> Claim:
    given: dict[str, Any] = {"id": uuid4(), "token": 1, "send_id": send, "business_id": business}
    given |= {"email": "a@x.example", "attempts": 0}
    given |= {"created_at": _NOW, "personal_message": None, "statement_sha256": b""}
    return Claim(**given)


async def test_mails_that_wait_for_long_give_their_places_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """But for a few, and to be claimed again later, when their message may be made."""
    monkeypatch.setattr(composer, "_WAIT", 0.05)
    send = uuid4()
    async with RenderQueue(1, pdf=False) as opened, held(monkeypatch, []) as go:
        claims = cast("Claims", _Statements())
        made = Composer(claims, opened, _SENDER, None, None, most_waiting=3)
        waiting = {asyncio.create_task(made.envelope(claim(1, send))) for _ in range(8)}
        left, waiting = await asyncio.wait(waiting, timeout=1)
        assert len(waiting) == 3
        assert all(isinstance(task.exception(), QueueFull) for task in left)
        go.set()
        await asyncio.gather(*waiting)
        await made.envelope(claim(1, send))
