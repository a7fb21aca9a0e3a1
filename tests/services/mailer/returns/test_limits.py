"""Hostile senders: each limit holds, and others are still served."""

import asyncio
from random import Random
from uuid import UUID

import asyncpg
import pytest

from shared.returns.intake import RETURNS_OF_ONE_MAX
from shared.returns.parts import BYTES_MAX
from tests.services.mailer.returns.conftest import Listening
from tests.services.mailer.returns.mail_server import (
    GONE,
    PATHS,
    MailServer,
    connected,
    path_of_one,
)

KEPT = "SELECT size, length(raw) AS kept FROM returns JOIN returned_mails ON return_id = id"
HEAD = len(b"Return-Path: <>\r\n")


async def greeting(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    first = await MailServer(reader, writer).reply()
    writer.close()
    return first


@pytest.mark.parametrize("limit", ["connections", "connections_each"])
async def test_connections(listening: Listening, limit: str) -> None:
    async with listening(**{limit: 2}) as port, connected(port):
        async with connected(port):
            assert await greeting(port) == "421 4.7.0 too many connections: try again later"
        async with asyncio.timeout(180):
            while (await greeting(port))[:3] != "220":
                pass


async def test_recipients(pool: asyncpg.Pool, listening: Listening) -> None:
    paths = [await path_of_one(pool, f"r{number}@client.example") for number in range(3)]
    async with listening(recipients=2) as port, connected(port) as peer:
        replies = await peer.begin(*paths)
        assert [each[:9] for each in replies] == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]
        assert await peer.content() == "250 2.0.0 stored"
        assert await peer.deliver(paths[2]) == "250 2.0.0 stored"


async def test_returns_of_one_delivery(pool: asyncpg.Pool, listening: Listening) -> None:
    """Whoever knows one return path cannot fill the disk; others are still served."""
    path, other = await path_of_one(pool), await path_of_one(pool, "ben@client.example")
    async with listening() as port, connected(port) as peer:
        for number in range(RETURNS_OF_ONE_MAX):
            content = GONE + f"{number}\r\n".encode()
            assert await peer.deliver(path, content=content) == "250 2.0.0 stored"
        refused, accepted = await peer.begin(path, other)
    assert refused == "552 5.2.2 too many mails came back for this address"
    assert accepted == "250 2.1.5 OK"


async def test_the_beginning_of_a_large_mail_is_kept(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    """A bounce of ten megabytes is a bounce: the report stands before what came back."""
    path, rest = await path_of_one(pool), b"x" * 76 + b"\r\n"
    content = GONE + rest * (10_000_000 // len(rest))
    async with listening() as port, connected(port) as peer:
        assert await peer.deliver(path, content=content) == "250 2.0.0 stored"
    [row] = await pool.fetch(KEPT)
    assert tuple(row) == (HEAD + len(content), BYTES_MAX)
    assert await pool.fetchval("SELECT state FROM deliveries") == "bounced"


async def test_a_mail_is_too_large(pool: asyncpg.Pool, listening: Listening) -> None:
    path = await path_of_one(pool)
    async with listening(mail_bytes=100_000) as port:
        async with connected(port) as peer:
            await peer.begin(path)
            assert await peer.content(b"x" * 100_001 + b"\r\n") == "552 5.3.4 the mail is too large"
            assert await peer.deliver(path) == "250 2.0.0 stored"
        async with connected(port) as endless:
            await endless.begin(path)
            await endless.say("DATA")
            endless.writer.write(b"x" * 300_000)
            assert await endless.reply() == "552 5.3.4 the mail is too large"
            assert await endless.reply() == ""


@pytest.mark.parametrize("line", [b"NOOP " + b"x" * 600, b"NOOP " + b"x" * 200_000])
async def test_a_command_is_too_long(listening: Listening, line: bytes) -> None:
    async with listening() as port, connected(port) as peer:
        assert await peer.say(line) == "500 5.5.2 Command line too long"
        assert (await peer.say("NOOP"))[:3] == "250"


async def test_a_line_of_a_mail_may_be_long(pool: asyncpg.Pool, listening: Listening) -> None:
    async with listening() as port, connected(port) as peer:
        content = GONE + b"x" * 500_000 + b"\r\n"
        assert await peer.deliver(await path_of_one(pool), content=content) == "250 2.0.0 stored"


@pytest.mark.parametrize("command", ["RCPT TO:<a@bounces.example>", "NOPE", "MAIL FROM:<>"])
async def test_refusals(listening: Listening, command: str) -> None:
    async with listening(refusals=3) as port, connected(port) as peer:
        await peer.say("MAIL FROM:<>")
        replies = [await peer.say(command) for _ in range(4)]
        assert {each[0] for each in replies} == {"5"}
        assert (await peer.reply())[:9] == "421 4.7.0"
        assert await peer.reply() == ""


async def test_commands_without_a_mail(pool: asyncpg.Pool, listening: Listening) -> None:
    path = await path_of_one(pool)
    async with listening(replies=10) as port, connected(port) as peer:
        for _ in range(5):  # a mail that is stored begins the count anew
            await peer.deliver(path)
        replies = [await peer.say("NOOP") for _ in range(10)]
        assert {each[:3] for each in replies} == {"250"}
        assert (await peer.say("NOOP"), await peer.reply()) == (
            "250 2.0.0 OK",
            "421 4.7.0 too many commands without a mail that is accepted",
        )


@pytest.mark.parametrize(
    ("limit", "from_another"), [("mails_a_minute", "451"), ("mails_a_minute_each", "250")]
)
async def test_mails_a_minute(
    pool: asyncpg.Pool, listening: Listening, limit: str, from_another: str
) -> None:
    path = await path_of_one(pool)
    async with listening(**{limit: 2}) as port, connected(port) as peer:
        for _ in range(2):
            assert await peer.deliver(path) == "250 2.0.0 stored"
        assert (await peer.say("MAIL FROM:<>"))[:9] == "451 4.3.2"
        async with connected(port, address="127.0.0.2") as other:
            assert (await other.say("MAIL FROM:<>"))[:3] == from_another


async def test_silence_and_a_reply_that_nobody_reads(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    path = await path_of_one(pool)
    async with listening(silence_s=0.3) as port:
        async with connected(port) as silent:
            assert (await silent.reply())[:9] == "421 4.4.2"
            assert await silent.reply() == ""
        async with connected(port) as in_the_middle:
            await in_the_middle.begin(path)
            await in_the_middle.say("DATA")
            in_the_middle.writer.write(GONE)
            assert (await in_the_middle.reply())[:9] == "421 4.4.2"
    assert not await pool.fetchval("SELECT count(*) FROM returns")


async def test_a_content_that_drips(pool: asyncpg.Pool, listening: Listening) -> None:
    path = await path_of_one(pool)
    async with listening(content_s=0.5) as port, connected(port) as peer:
        await peer.begin(path)
        await peer.say("DATA")
        ending = asyncio.create_task(peer.reply())
        while not ending.done():
            peer.writer.write(b"x")
            await asyncio.wait([ending], timeout=0.05)
        assert (await ending)[:9] == "421 4.4.2"


async def test_memory_is_bounded_while_small_mails_go_on(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    """Slow senders of large mails share a fixed memory; who comes too late is to come again."""
    path = await path_of_one(pool)
    large = b"x" * 60_000 + b"\r\n"
    async with (
        listening(memory_bytes=150_000) as port,
        connected(port) as one,
        connected(port) as two,
        connected(port) as three,
    ):
        for peer in (one, two, three):
            await peer.begin(path)
            await peer.say("DATA")
        for peer in (one, two):
            peer.writer.write(large)
        await others_are_read(port, path)
        three.writer.write(large + b".\r\n")
        assert (await three.reply())[:9] == "452 4.3.1"
        assert await three.deliver(path) == "250 2.0.0 stored"
        assert await one.say(b".") == "250 2.0.0 stored"
        assert await three.deliver(path, content=large) == "250 2.0.0 stored"


async def others_are_read(port: int, path: str) -> None:
    """Wait until the listener has read what others sent: a mail in between is stored."""
    async with connected(port) as peer:
        for _ in range(3):
            assert await peer.deliver(path) == "250 2.0.0 stored"


async def test_forged_addresses_ask_no_database(pool: asyncpg.Pool, listening: Listening) -> None:
    path = await path_of_one(pool)
    local, _, domain = path.partition("@")
    async with listening(refusals=10_000, replies=10_000) as port, connected(port) as peer:
        await pool.execute("ALTER TABLE deliveries RENAME TO gone")
        assert [each[:9] for each in await peer.begin(path)] == ["451 4.3.0"]
        for place in range(len(local)):
            other = "a" if local[place] != "a" else "b"
            forged = f"{local[:place]}{other}{local[place + 1 :]}@{domain}"
            assert (await peer.say(f"RCPT TO:<{forged}>"))[:9] == "550 5.1.1"


def test_no_forged_address_is_accepted() -> None:
    """Random signatures, and those of other deliveries; a million of them in the bench."""
    rng, ours = Random(1), [PATHS.address(UUID(int=number)) for number in range(100)]
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    for path in ours:
        named, _, rest = path.partition(".")
        signature, _, domain = rest.partition("@")
        for _ in range(100):
            other = "".join(rng.choices(letters, k=16))
            assert PATHS.delivery(f"{named}.{other}@{domain}") is None
        if path != ours[0]:
            assert PATHS.delivery(f"{ours[0].partition('.')[0]}.{signature}@{domain}") is None
