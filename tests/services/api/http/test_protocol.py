"""Requests that are not HTTP are refused with a problem and one log line."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from tests.app_runner import running
from tests.services.api.api_client import Api

LONG = b"ledgerpost_" + b"s3cret" * 2000
CASES = [
    (b"NONSENSE\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nBad s3cret\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\xfc\x03\x03", 400),
    (b"GET /" + LONG + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + LONG + b"\r\n\r\n", 431),
    (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", 415),
]


@pytest.mark.parametrize(("sent", "status"), CASES)
async def test_it_is_a_problem_and_one_quiet_line(
    reader: Api, logged: Callable[[], list[dict[str, Any]]], sent: bytes, status: int
) -> None:
    incoming, outgoing = await reader.connect()
    outgoing.write(sent)
    head, _, body = (await incoming.read()).decode().partition("\r\n\r\n")
    outgoing.close()
    problem = json.loads(body)
    assert int(head.split()[1]) == problem["status"] == status
    assert "Content-Type: application/problem+json" in head
    assert f"X-Request-Id: {problem['request_id']}" in head
    assert "Server: ledgerpost" in head
    [line] = [each for each in logged() if each["level"] != "debug"]
    assert line["event"] == "request_unreadable"
    assert (line["level"], line["status"]) == ("info", status)
    assert line["request_id"] == problem["request_id"]
    assert "s3cret" not in body + str(logged())


async def test_the_connection_before_and_the_next_one_are_served(reader: Api) -> None:
    incoming, outgoing = await reader.connect()
    outgoing.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await incoming.readuntil(b'"ok"}')).startswith(b"HTTP/1.1 200 ")
    outgoing.write(b"NONSENSE\r\n\r\n")
    assert b" 400 Bad Request" in await incoming.read()
    outgoing.close()
    assert (await reader.get("/health/live")).status == 200


async def test_a_caller_that_leaves_before_the_answer_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked, left, failed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.set()
        await left.wait()
        try:
            await (response := web.StreamResponse()).prepare(request)
            await response.write(b"x" * 100_000)
        except ConnectionError:
            failed.set()
            raise
        return response

    app = web.Application()
    app.router.add_get("/", answer)
    async with running(app) as url:
        address = URL(url)
        _, outgoing = await asyncio.open_connection(address.host, address.port)
        outgoing.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await asked.wait()
            outgoing.close()
            await asyncio.sleep(0.1)
            left.set()
            await failed.wait()
        await asyncio.sleep(0.1)
    assert [each for each in caplog.records if each.levelno > logging.INFO] == []
