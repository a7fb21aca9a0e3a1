"""Messages with unreadable properties, which RabbitMQ passes on."""

import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from pamqp import encode

from services.api.access import store as access
from services.mailer import dead_letters
from shared.amqp import topology
from tests.journeys.conftest import System
from tests.peer import peer, request

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEYOND = struct.pack(">Q", 2**63 - 1)
NO_UTF8 = struct.pack(">I", 2) + b"\xff\xfe"


def written(kind: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return a message's options, and have pamqp write them as no sane program does."""
    if kind in {"timestamp", "header beyond the calendar"}:
        monkeypatch.setattr(encode, "timestamp", lambda _: BEYOND)
        monkeypatch.setitem(encode.METHODS, "timestamp", lambda _: BEYOND)
        return {"timestamp": NOW} if kind == "timestamp" else {"headers": {"x-when": NOW}}
    if kind == "header that is no UTF-8":
        monkeypatch.setattr(encode, "long_string", lambda _: NO_UTF8)
        return {"headers": {"x-name": "name"}}
    assert kind == "correlation_id"
    monkeypatch.setitem(encode.METHODS, "shortstr", _no_utf8(encode.short_string))
    return {"correlation_id": "no utf-8"}


def _no_utf8(write: Any) -> Any:
    return lambda value: b"\x02\xff\xfe" if value == "no utf-8" else write(value)


@pytest.mark.parametrize(
    "kind",
    [
        "timestamp",
        "header beyond the calendar",
        "header that is no UTF-8",
        "correlation_id",
    ],
)
async def test_a_request_that_cannot_be_read_takes_no_neighbour_along(
    system: System, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    key = await access.create(system.db, business_id=1, name="crm", scopes=["transactions:send"])
    async with peer(system.amqp, None) as stranger, peer(system.amqp, key.text) as asker:
        with monkeypatch.context() as patch:
            options = written(kind, patch)
            for _ in range(5):  # one more than are handled at once
                await stranger.ask(b"{", **options)
        for number in range(5):
            await asker.ask(request(str(number)))
        async with system.relay():
            for number in range(5):
                await asker.reply(number + 1)
            letters = await stranger.dead(5)
        assert await system.db.fetchval("SELECT count(*) FROM sends") == 5
        assert {each.headers[topology.REASON][:3] for each in letters} == {"401"}
        assert len(await dead_letters.read(system.amqp, 9)) == 5
        assert len(await dead_letters.replay(system.amqp, None)) == 5
        assert await asker.waiting(topology.SEND_REQUESTS) == 5
