"""Callers that do not read their answers: their unread bytes and their time are limited."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.api.access import unread
from services.api.http import protocol, writer
from services.api.http.appkeys import UNREAD
from services.api.http.protocol import Protocol
from services.api.sends import store
from tests.contract.tenants import Tenant, settings, settle
from tests.services.api.api_client import Api, serving

HISTORY = "/api/v3/sends?limit=200"
MIB = 2**20


@pytest.fixture
async def tenants(database: str) -> list[Tenant]:
    """Two businesses; the first has 120 sends with messages of the largest size."""
    db = await asyncpg.connect(database)
    try:
        found = [await settle(db, number, word) for number, word in ((1, "qzalpha"), (2, "qzbeta"))]
        await db.execute(
            """WITH copied AS (
                   INSERT INTO sends (id, business_id, customer_id, date_from, date_to,
                                      personal_message, copy_to_me, skipped, created_at, send_at,
                                      expires_at)
                   SELECT gen_random_uuid(), business_id, customer_id, date_from, date_to,
                          repeat('漢', 10000), copy_to_me, skipped, created_at, send_at, expires_at
                   FROM (SELECT * FROM sends WHERE business_id = 1 LIMIT 1) s,
                        generate_series(1, 120)
                   RETURNING id, business_id, created_at, send_at, expires_at)
               INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state,
                                       due_at, expires_at, created_at, updated_at)
               SELECT gen_random_uuid(), id, business_id, 1, 'a@x.example', 'a@x.example',
                      'cancelled', send_at, expires_at, created_at, created_at
               FROM copied"""
        )
        return found
    finally:
        await db.close()


@pytest.fixture
async def api(tenants: list[Tenant], database: str) -> AsyncIterator[Api]:
    async with serving(settings(database)) as api:
        api.key = tenants[0].key
        yield api


async def test_a_page_is_bounded_in_bytes_and_no_send_is_left_out(api: Api) -> None:
    seen: list[str] = []
    path = HISTORY
    sizes = []
    while True:
        answer = await api.get(path)
        sizes.append(len(answer.text.encode()))
        seen += [each["id"] for each in answer.json["data"]]
        if answer.json["next_cursor"] is None:
            break
        path = f"{HISTORY}&cursor={answer.json['next_cursor']}"
    assert max(sizes) < 1.1 * MIB
    assert len(sizes) >= 4
    assert len(seen) == len(set(seen)) > 120


def stubborn(api: Api, count: int, path: str = HISTORY) -> list[socket.socket]:
    """Connections that send requests and read nothing."""
    found = []
    for _ in range(count):
        asker = socket.socket()
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asker.connect(("127.0.0.1", api.port))
        asker.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode()
        )
        asker.settimeout(0)
        found.append(asker)
    return found


async def test_what_a_key_does_not_read_is_bounded_and_let_go_of(
    api: Api, tenants: list[Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than the buffers of the system take, so that something is left unread here.
    monkeypatch.setattr(store, "PAGE_BYTES_MAX", 64 * MIB)
    monkeypatch.setattr(unread, "_MOST", 8 * MIB)
    monkeypatch.setattr(writer, "_READER_WAIT_S", 1.0)
    monkeypatch.setattr(writer, "_SLOWEST", 10 * MIB)
    held = api.app[UNREAD]
    askers = stubborn(api, 12)
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        most = 0
        async with asyncio.timeout(180):
            while not most or held._bytes:
                most = max(most, sum(held._bytes.values()))
                await asyncio.sleep(0)
        assert 3 * MIB < most <= 8 * MIB
        # The connections of those who took nothing are closed; others were told to come again.
        ends = [await end_of(asker) for asker in askers]
        assert all(ends)
        assert (await api.get(HISTORY)).status == 200
        assert (await api.get(HISTORY, key=tenants[1].key)).status == 200
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    finally:
        for asker in askers:
            asker.close()


SMALL = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
async def narrow(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    """The API with socket buffers of a few kilobytes and timeouts of a second."""
    connected = Protocol.connection_made

    def connection_made(self: Protocol, transport: asyncio.BaseTransport) -> None:
        connected(self, transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    monkeypatch.setattr(Protocol, "connection_made", connection_made)
    monkeypatch.setattr(writer, "_READER_WAIT_S", 1.0)
    async with serving(settings(database), idle=1.0) as api:
        yield api


async def test_whoever_asks_on_and_reads_no_small_answer_is_cut_off(narrow: Api) -> None:
    [asker] = stubborn(narrow, 1)
    try:
        assert await asked_in_vain(asker, SMALL * 100) < MIB
    finally:
        asker.close()


@pytest.mark.parametrize("asked", [SMALL * 60, b"GET /docs/swagger-ui-bundle.js" + SMALL[16:]])
async def test_connections_whose_answers_nobody_takes_end(
    narrow: Api, monkeypatch: pytest.MonkeyPatch, asked: bytes
) -> None:
    monkeypatch.setattr(writer, "_READER_WAIT_S", 60.0)
    monkeypatch.setattr(protocol, "_UNTAKEN", 1000)
    askers = stubborn(narrow, 20)
    try:
        for asker in askers:
            asker.sendall(asked)
        await asyncio.gather(*(asked_in_vain(asker, b"\r\n") for asker in askers))
    finally:
        for asker in askers:
            asker.close()


async def asked_in_vain(asker: socket.socket, text: bytes) -> int:
    """Send requests until the connection is closed; return the number of bytes sent."""
    loop, sent = asyncio.get_running_loop(), 0
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(180):
            while True:
                await loop.sock_sendall(asker, text)
                sent += len(text)
                await asyncio.sleep(0.02)
    return sent


async def end_of(asker: socket.socket) -> bool:
    """Read a connection to its end; return whether it was closed or answered 503."""
    loop, said = asyncio.get_running_loop(), b""
    try:
        async with asyncio.timeout(180):
            while b"503 Service" not in said[:40]:
                piece = await loop.sock_recv(asker, 65536)
                if not piece:
                    return True
                said += piece
    except ConnectionError:
        return True
    return True
