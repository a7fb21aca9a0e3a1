"""Mail servers hand returned mail over by SMTP and LMTP, and hear what became of it."""

import asyncio
import ssl
from pathlib import Path
from typing import Literal
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from shared.returns import intake
from shared.returns.verdict import Verdict
from tests.judge.certificate import self_made
from tests.logged import Logged
from tests.services.mailer.returns.conftest import PROTOCOLS, Listening
from tests.services.mailer.returns.mail_server import (
    GONE,
    PATHS,
    MailServer,
    connected,
    handed_over,
    path_of_one,
)

STORED = "SELECT source, recipient, size, kind, effect FROM returns"


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_bounce_is_stored_before_the_reply(
    pool: asyncpg.Pool,
    listening: Listening,
    protocol: Literal["smtp", "lmtp"],
    counted: CollectorRegistry,
) -> None:
    path = await path_of_one(pool)
    async with listening(protocol) as port, connected(port, protocol) as peer:
        assert await peer.deliver(path) == "250 2.0.0 stored"
        [row] = await pool.fetch(STORED)
        raw = await pool.fetchval("SELECT raw FROM returned_mails")
        assert await peer.deliver(path) == "250 2.0.0 stored"
        assert (await peer.say("QUIT"))[:3] == "221"
        assert await peer.reply() == ""
    assert raw == b"Return-Path: <>\r\n" + GONE
    assert tuple(row) == (protocol, path, len(raw), "bounce", ["bounced", "suppressed"])
    assert await pool.fetchval("SELECT count(*) FROM returns") == 1
    labels = {"command": "data", "class": "2"}
    assert counted.get_sample_value("ledgerpost_return_replies_total", labels) == 2


async def test_what_the_server_supports(listening: Listening) -> None:
    async with listening() as port, connected(port) as peer:
        offered = (await peer.say("EHLO mx.client.example")).split("\n")
        assert [each[4:] for each in offered] == [
            *("bounces.example", "SIZE 26214400", "8BITMIME", "SMTPUTF8"),
            *("PIPELINING", "ENHANCEDSTATUSCODES", "HELP"),
        ]
        assert await peer.say("EXPN all") == "502 5.5.1 EXPN not implemented"
        assert await peer.say("NOPE") == '500 5.5.2 Error: command "NOPE" not recognized'
        assert await peer.say("DATA") == "503 5.5.1 Error: need RCPT command"
        size = await peer.say("MAIL FROM:<> SIZE=30000000")
        assert size == "552 5.3.4 Error: message size exceeds fixed maximum message size"
        assert (await peer.say("HELO mx.client.example"))[:3] == "250"


async def test_only_return_paths_of_mails_in_the_history_are_accepted(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    delivery = await handed_over(pool)
    path = PATHS.address(delivery)
    forged = f"{path[:-20]}aaaa{path[-16:]}"
    old_form = f"post+bounce-{delivery.hex}@ledgerpost.example"
    others = (
        *(forged, PATHS.address(uuid4()), old_form, "someone@elsewhere.example", "postmaster"),
        *(f"p\x00+bounce-{delivery.hex}@x.example", f"ü+bounce-{delivery.hex}@x.example"),
    )
    async with listening() as port, connected(port) as peer:
        replies = await peer.begin(*others, path.upper())
        assert [each[:9] for each in replies] == ["550 5.1.1"] * len(others) + ["250 2.1.5"]
        assert (await peer.say("RSET"))[:3] == "250"
        await pool.execute("UPDATE return_paths SET signed_since = now() + interval '1 hour'")
        assert await peer.begin(old_form) == ["250 2.1.5 OK"]


async def test_any_sender_and_8_bits_are_accepted(pool: asyncpg.Pool, listening: Listening) -> None:
    path, content = await path_of_one(pool), "Subject: Grüße\r\n\r\nweg\r\n".encode()
    async with listening() as port, connected(port) as peer:
        sender = await peer.say("MAIL FROM:<jürgen@client.example> BODY=8BITMIME SMTPUTF8 SIZE=99")
        assert sender == "250 2.1.0 OK"
        assert await peer.say(f"RCPT TO:<{path}>") == "250 2.1.5 OK"
        assert await peer.content(content) == "250 2.0.0 stored"
    raw = await pool.fetchval("SELECT raw FROM returned_mails")
    assert raw == "Return-Path: <jürgen@client.example>\r\n".encode() + content


async def test_a_mail_for_several_recipients_is_stored_for_each(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    paths = [await path_of_one(pool, f"r{number}@client.example") for number in range(3)]
    async with listening() as port, connected(port) as peer:
        assert await peer.deliver(*paths) == "250 2.0.0 stored"
    assert sorted(row["recipient"] for row in await pool.fetch(STORED)) == sorted(paths)


async def test_lmtp_replies_for_each_recipient(pool: asyncpg.Pool, listening: Listening) -> None:
    paths = [await path_of_one(pool, f"r{number}@client.example") for number in range(3)]
    async with listening("lmtp") as port, connected(port, "lmtp") as peer:
        assert (await peer.say("EHLO x"))[:9] == "500 5.5.2"
        await peer.begin(*paths, "nobody@bounces.example")
        state = "UPDATE deliveries SET state = 'committing', sent_at = NULL, lease_until = now()"
        await pool.execute(f"{state} WHERE email LIKE 'r1@%'")
        replies = [await peer.content(), await peer.reply(), await peer.reply()]
        assert [each[:9] for each in replies] == ["250 2.0.0", "451 4.3.0", "250 2.0.0"]
        assert (await peer.say("NOOP"))[:3] == "250"
    assert {row["recipient"] for row in await pool.fetch(STORED)} == {paths[0], paths[2]}


async def test_smtp_replies_that_a_mail_is_stored_only_if_it_is_for_all(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    """The server delivers it again; for those of the first time it is a copy then."""
    paths = [await path_of_one(pool, f"r{number}@client.example") for number in range(2)]
    async with listening() as port, connected(port) as peer:
        await peer.begin(*paths)
        await pool.execute(
            "UPDATE deliveries SET state = 'committing', sent_at = NULL, lease_until = now()"
            " WHERE email LIKE 'r1@%'"
        )
        assert (await peer.content())[:9] == "451 4.3.0"
        assert await peer.begin(paths[1]) == [
            "451 4.3.0 the mail that came back is being handed over: try again later"
        ]
        await peer.say("RSET")
        await pool.execute("UPDATE deliveries SET state = 'sent', sent_at = now()")
        assert await peer.deliver(*paths) == "250 2.0.0 stored"
    assert await pool.fetchval("SELECT count(*) FROM returns") == 2
    events = await pool.fetch("SELECT FROM delivery_events WHERE state = 'bounced'")
    assert len(events) == 2


async def test_a_pipeline_of_mails(pool: asyncpg.Pool, listening: Listening) -> None:
    paths = [await path_of_one(pool, f"r{number}@client.example") for number in range(3)]
    commands = b"".join(
        b"MAIL FROM:<>\r\nRCPT TO:<" + path.encode() + b">\r\nDATA\r\n" + GONE + b".\r\n"
        for path in paths
    )
    async with listening() as port, connected(port) as peer:
        peer.writer.write(commands + b"QUIT\r\n")
        replies = [(await peer.reply())[:3] for _ in range(13)]
    assert replies == ["250", "250", "354", "250"] * 3 + ["221"]
    assert await pool.fetchval("SELECT count(*) FROM returns") == 3


async def test_a_recipient_waits_while_the_database_is_away(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    path = await path_of_one(pool)
    async with listening() as port, connected(port) as peer:
        await peer.begin(path)
        await pool.execute("ALTER TABLE returns RENAME TO gone")
        assert (await peer.content())[:9] == "451 4.3.0"
        await pool.execute("ALTER TABLE gone RENAME TO returns")
        await pool.execute("ALTER TABLE deliveries RENAME TO gone")
        assert [each[:9] for each in await peer.begin(path)] == ["451 4.3.0"]
        await pool.execute("ALTER TABLE gone RENAME TO deliveries")
        await peer.say("RSET")
        assert await peer.deliver(path) == "250 2.0.0 stored"


async def test_an_error_of_ours_lets_the_server_come_again(
    pool: asyncpg.Pool, listening: Listening, logged: Logged
) -> None:
    path = await path_of_one(pool)
    async with listening() as port, connected(port) as peer:
        await pool.execute("ALTER TABLE returns ADD CHECK (kind = 'delay')")
        await peer.begin(path)
        assert (await peer.content())[:9] == "451 4.3.0"
    lines = [str(each) for each in logged()]
    assert any("CheckViolationError" in each for each in lines)
    for private in (path, path.partition("@")[0], "user unknown", "ana@client.example"):
        assert not any(private in each for each in lines)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_error_of_ours_costs_no_reply_about_another_recipient(
    pool: asyncpg.Pool,
    listening: Listening,
    protocol: Literal["smtp", "lmtp"],
    monkeypatch: pytest.MonkeyPatch,
    logged: Logged,
) -> None:
    understand = intake.understand

    def failing(raw: bytes, recipient: str | None) -> Verdict:
        if recipient == "r1@client.example":
            raise KeyError(recipient)
        return understand(raw, recipient)

    monkeypatch.setattr(intake, "understand", failing)
    paths = [await path_of_one(pool, f"r{number}@client.example") for number in range(3)]
    async with listening(protocol) as port, connected(port, protocol) as peer:
        await peer.begin(*paths)
        replies = [await peer.content()]
        if protocol == "lmtp":
            replies += [await peer.reply(), await peer.reply()]
        assert (await peer.say("NOOP"))[:3] == "250"
    one = "451 4.3.0 something went wrong: try again later"
    stored = "250 2.0.0 stored"
    assert replies == ([stored, one, stored] if protocol == "lmtp" else [one])
    assert {row["recipient"] for row in await pool.fetch(STORED)} == {paths[0], paths[2]}
    lines = [str(each) for each in logged()]
    assert any("return_answered_with_error" in each and "KeyError" in each for each in lines)
    assert not any("r1@client.example" in each for each in lines)


async def test_starttls(pool: asyncpg.Pool, listening: Listening, tmp_path: Path) -> None:
    path = await path_of_one(pool)
    certificate, context = self_made(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with listening(tls=context) as port, connected(port) as peer:
        assert "STARTTLS" in await peer.say("EHLO mx.client.example")
        assert (await peer.say("STARTTLS"))[:3] == "220"
        await peer.writer.start_tls(trusting, server_hostname="127.0.0.1")
        secure = MailServer(peer.reader, peer.writer)
        offered = await secure.say("EHLO mx.client.example")
        assert "STARTTLS" not in offered
        assert "AUTH" not in offered
        assert await secure.deliver(path) == "250 2.0.0 stored"


async def test_a_connection_that_is_lost_leaves_nothing(
    pool: asyncpg.Pool, listening: Listening
) -> None:
    path = await path_of_one(pool)
    async with listening(connections=1) as port:
        async with connected(port) as peer:
            await peer.begin(path)
            await peer.say("DATA")
            peer.writer.write(GONE)
            peer.writer.transport.abort()
        async with asyncio.timeout(180):
            while True:  # until the place of the lost one is free
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                greeting = await reader.readline()
                writer.close()
                if greeting[:3] == b"220":
                    break
    assert not await pool.fetchval("SELECT count(*) FROM returns")
