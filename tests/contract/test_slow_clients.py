"""Clients that are slow, send too much before a request, or do not send HTTP."""

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from services.api.http import request_body
from services.api.http.protocol import IDLE, MAX_HEADERS, MAX_LINE
from tests.contract.call import DATES, REPORTS
from tests.contract.tenants import Tenant, settings, settle
from tests.services.api.api_client import Api, serving
from tests.services.api.test_app_serve import served

ONE = f"{REPORTS}/client/1/{DATES}"
MIB = 2**20


@pytest.fixture
async def tenant(database: str) -> Tenant:
    db = await asyncpg.connect(database)
    try:
        return await settle(db, 1, "qzalpha")
    finally:
        await db.close()


@pytest.fixture
async def impatient(
    tenant: Tenant, database: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """The API with timeouts of a second instead of a minute."""
    monkeypatch.setattr(request_body, "_BODY_WAIT_S", 1.0)
    async with serving(settings(database), idle=1.0) as api:
        api.key = tenant.key
        yield api


def head(api: Api, method: str, more: str = "") -> bytes:
    return (
        f"{method} {ONE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n{more}"
    ).encode()


async def drip(writer: asyncio.StreamWriter, sign: bytes) -> None:
    """Write one byte after the other, until the connection is closed."""
    while not writer.transport.is_closing():
        writer.write(sign)
        await asyncio.sleep(0.05)


async def answered(api: Api, begin: bytes, sign: bytes) -> bytes:
    """Return all that a client gets that begins a request and then sends it byte by byte."""
    reader, writer = await api.connect()
    writer.write(begin)
    dripping = asyncio.create_task(drip(writer, sign))
    answer = b""
    try:
        # A byte that arrives after the connection was closed resets it: that ends the answer, too.
        with suppress(ConnectionResetError):
            async with asyncio.timeout(180):
                while piece := await reader.read(4096):
                    answer += piece
        return answer
    finally:
        dripping.cancel()
        writer.transport.abort()


async def test_a_head_that_never_ends_is_cut_off(impatient: Api) -> None:
    assert await answered(impatient, head(impatient, "GET", "X-Slow: "), b"a") == b""
    assert await answered(impatient, b"", b"") == b""


async def test_a_head_is_cut_off_on_a_connection_that_was_used_before_too(impatient: Api) -> None:
    begin = head(impatient, "GET", "\r\n") + head(impatient, "GET", "X-Slow: ")
    assert (await answered(impatient, begin, b"a")).count(b"HTTP/1.1") == 1


async def test_a_body_that_never_ends_is_refused_and_cut_off(impatient: Api) -> None:
    begin = head(
        impatient, "POST", "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    )
    answer = await answered(impatient, begin, b" ")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer
    assert b"The body did not arrive within 1 seconds." in answer


def test_the_real_patience_is_of_the_order_of_a_minute() -> None:
    assert (IDLE, request_body._BODY_WAIT_S) == (75.0, 30.0)


UNREADABLE = {
    "a long first line": (f"GET /{'a' * MAX_LINE} HTTP/1.1\r\n\r\n", 431, f"{MAX_LINE} bytes"),
    "a long header": (f"GET / HTTP/1.1\r\nX-A: {'a' * (MAX_LINE + 1)}\r\n\r\n", 431, "8190 bytes"),
    "many headers": ("GET / HTTP/1.1\r\n" + "X-A: a\r\n" * (MAX_HEADERS + 1) + "\r\n", 431,
                     f"more than {MAX_HEADERS} headers"),
    "two lengths": ("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, ""),
    "a length and chunks": (
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, ""),
    "a negative length": ("POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, ""),
    "a NUL": ("GET / HTTP/1.1\r\nX-A: a\0b\r\n\r\n", 400, ""),
    "a folded header": ("GET / HTTP/1.1\r\nX-A: a\r\n b\r\n\r\n", 400, ""),
    "line feeds alone": ("GET / HTTP/1.1\nAuthorization: Bearer s3cret-key\n\n", 400, ""),
    "a long method": ("A" * 100_000 + " / HTTP/1.1\r\n\r\n", 400, ""),
    "TLS": ("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_is_no_http_is_told_so_and_not_repeated(impatient: Api, name: str) -> None:
    request, status, says = UNREADABLE[name]
    reader, writer = await impatient.connect()
    writer.write(request.encode("latin-1"))
    async with asyncio.timeout(180):
        answer = await reader.read()
    writer.transport.abort()
    top, _, body = answer.decode().partition("\r\n\r\n")
    problem = json.loads(body)
    assert top.split()[1] == str(status)
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert says in problem["detail"]
    assert "\r\nContent-Type: application/problem+json" in top
    assert "\r\nServer: ledgerpost\r\n" in f"{top}\r\n"
    assert f"\r\nX-Request-Id: {problem['request_id']}\r\n" in f"{top}\r\n"
    assert len(answer) < 1000
    assert b"s3cret" not in answer


async def test_floods_take_no_memory_and_a_request_beside_them_is_answered(
    tenant: Tenant, database: str
) -> None:
    async with served(DATABASE_URL=database) as (process, url, lines):
        port = int(url.rpartition(":")[2])
        api = Api(None, port, None, tenant.key)  # type: ignore[arg-type]
        await _beside(api)
        before = _peak(process)
        chunked = head(api, "POST", "Transfer-Encoding: chunked\r\n\r\n1;")
        await asyncio.gather(
            *(
                _flood(api, begin)
                for begin in (
                    head(api, "GET", "X-A: "),
                    b"GET /",
                    head(api, "POST", "Content-Length: 1000000000\r\n\r\n"),
                    chunked,
                    b"A",
                )
            ),
            *(_idle(api) for _ in range(300)),
            _beside(api),
        )
        assert _peak(process) - before < 100 * MIB
        process.terminate()
        await process.wait()
    assert tenant.key not in "".join(lines)
    assert max(map(len, lines)) < 10_000


async def _flood(api: Api, begin: bytes) -> None:
    """Write 60 MiB of one letter, or as much as the server reads."""
    _, writer = await api.connect()
    try:
        async with asyncio.timeout(180):
            writer.write(begin)
            for _ in range(60):
                writer.write(b"a" * MIB)
                await writer.drain()
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.transport.abort()


async def _idle(api: Api) -> None:
    _, writer = await api.connect()
    await asyncio.sleep(4)
    writer.transport.abort()


async def _beside(api: Api) -> None:
    await asyncio.sleep(1)
    reader, writer = await api.connect()
    writer.write(head(api, "GET", "\r\n"))
    async with asyncio.timeout(180):
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.transport.abort()


def _peak(process: Process) -> int:
    """The largest memory of a worker so far, in bytes."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
    statuses = [Path(f"/proc/{child}/status").read_text("utf-8") for child in children]
    return max(1024 * int(each.partition("VmHWM:")[2].split()[0]) for each in statuses)
