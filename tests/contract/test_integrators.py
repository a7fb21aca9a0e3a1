"""docs/integrators.md is correct: its examples run, with the RabbitMQ user that it describes."""

import asyncio
import os
import re
import secrets
import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aio_pika
import aiormq
import pytest
from aio_pika.abc import AbstractChannel

from provision.servers import Servers
from services.api.access import store as access
from shared.amqp import topology
from tests.contract.test_messages import FOLDER
from tests.journeys.conftest import System, system  # noqa: F401 -- a fixture
from tests.servers import ROOT, absent
from tests.vhosts import Vhosts

TEXT = (ROOT / "docs" / "integrators.md").read_text("utf-8")
REFUSED = (aiormq.exceptions.ChannelAccessRefused, aio_pika.exceptions.ChannelClosed)


def block(language: str) -> str:
    """The only code block in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def without_hearing(example: str) -> str:
    """The same example, which leaves the events of its send in the queue."""
    [line] = [line for line in example.splitlines() if " await follow(" in line]
    return example.replace(line, "")


def told(command: str) -> list[str]:
    """The arguments of a rabbitmqctl command on the page, after the vhost and the user."""
    [line] = [line for line in block("sh").splitlines() if f" {command} " in line]
    words = shlex.split(line)
    return words[words.index("crm") + 1 :]


@pytest.fixture
async def crm(system: System, servers: Servers) -> AsyncIterator[str]:  # noqa: F811
    """The address of the broker for a user with the rights that the page gives it."""
    assert servers.management_url is not None
    vhosts = Vhosts(servers.management_url)
    name, password = f"crm_{secrets.token_hex(4)}", secrets.token_hex(16)
    parts = urlsplit(system.amqp)
    vhost = parts.path.strip("/")
    configure, write, read = told("set_permissions")
    exchange, topic_write, topic_read = told("set_topic_permissions")
    vhosts.create_user(name, password)
    vhosts.permit(vhost, name, configure=configure, write=write, read=read)
    vhosts.permit_topics(vhost, name, exchange, write=topic_write, read=topic_read)
    yield parts._replace(netloc=f"{name}:{password}@{parts.hostname}:{parts.port}").geturl()
    vhosts.delete_user(name)


async def started(
    system: System,  # noqa: F811
    crm: str,
    *command: str,
    key: str | None = None,
) -> tuple[int | None, str, str]:
    """Run an example on a running system; return status, output and errors."""
    scopes = ["transactions:send"]
    valid = await access.create(system.db, business_id=1, name="crm", scopes=scopes)
    async with system.relay(), system.mailer():
        # The exchanges are there as soon as a relay has connected for the first time.
        connection = await aio_pika.connect(system.amqp)
        async with connection:
            await topology.declare(await connection.channel())
        process = await asyncio.create_subprocess_exec(
            *command[:-1],
            cwd=FOLDER,
            env={"PATH": os.environ["PATH"], "AMQP_URL": crm, "KEY": key or valid.text},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(180):
            output, complaint = await process.communicate(command[-1].encode())
        for send in await system.db.fetch("SELECT id FROM sends"):
            await system.settled(str(send["id"]))
    return process.returncode, output.decode(), complaint.decode()


async def run(system: System, crm: str, *command: str) -> str:  # noqa: F811
    """Run an example whose mail goes out, and return its output."""
    status, output, complaint = await started(system, crm, *command)
    assert status == 0, complaint
    assert len(system.judge.accepted) == 1
    return output


async def test_the_example_in_python_asks_and_hears_until_the_mail_is_sent(
    system: System,  # noqa: F811
    crm: str,
) -> None:
    lines = (await run(system, crm, sys.executable, "-", block("python"))).splitlines()
    assert lines == [
        "com.ledgerpost.send-request.accepted.v1",
        "com.ledgerpost.delivery.sent.v1",
    ]


async def test_the_example_in_python_ends_neither_by_others_events_nor_without_a_valid_key(
    system: System,  # noqa: F811
    crm: str,
) -> None:
    example = block("python")
    await run(system, crm, sys.executable, "-", without_hearing(example))
    hasty = example.replace("answers.get(), 10", "answers.get(), 1")
    status, printed, complaint = await started(
        system, crm, sys.executable, "-", hasty, key="ledgerpost_bad"
    )
    assert (status, printed) == (1, "")
    assert complaint.startswith("no answer in 10 s: is the key valid")
    # The events of the first send lie in the queue still.
    status, printed, _ = await started(system, crm, sys.executable, "-", example)
    assert (status, len(printed.splitlines())) == (0, 2)
    assert len(system.judge.accepted) == 2


async def test_the_example_in_python_says_why_its_request_is_refused(
    system: System,  # noqa: F811
    crm: str,
) -> None:
    example = block("python").replace('"customer_id": 4', '"customer_id": 404')
    status, printed, complaint = await started(system, crm, sys.executable, "-", example)
    assert (status, printed) == (1, "com.ledgerpost.send-request.refused.v1\n")
    assert "customer" in complaint


async def test_the_example_in_node_asks_and_is_answered(system: System, crm: str) -> None:  # noqa: F811
    node = shutil.which("node")
    if node is None:
        absent("node is not installed")
    if not (FOLDER / "node_modules").is_dir():
        absent("the packages are not installed: run make node")
    printed = await run(system, crm, node, "--input-type=module", "-", block("js"))
    [send] = await system.db.fetch("SELECT id FROM sends")
    assert printed == f"com.ledgerpost.send-request.accepted.v1 {send['id']}\n"


async def test_the_request_for_a_batch_on_the_page_is_accepted_and_its_end_is_heard(
    system: System,  # noqa: F811
    crm: str,
) -> None:
    scopes = ["transactions:send"]
    key = await access.create(system.db, business_id=1, name="crm", scopes=scopes)
    owner = await aio_pika.connect(system.amqp)
    async with owner, system.relay(), system.mailer():
        await topology.declare(await owner.channel())
        connection = await aio_pika.connect(crm)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("crm-events", exclusive=True)
            for key_ in ("batch-request.*.1", "batch.*.1", "schedule.*.1"):
                await queue.bind(topology.EVENTS, key_)
            entrance = await channel.get_exchange(topology.INTAKE, ensure=False)
            message = aio_pika.Message(
                block("json").encode(), headers={"authorization": f"Bearer {key.text}"}
            )
            await entrance.publish(message, topology.SEND_REQUESTS)
            heard = []
            async with asyncio.timeout(180), queue.iterator() as events:
                async for event in events:
                    heard.append(event.routing_key)
                    await event.ack()
                    if event.routing_key == "batch.done.1":
                        break
    assert sorted(heard) == [
        "batch-request.accepted.1",
        "batch.done.1",
        "batch.expanding.1",
        "batch.sending.1",
    ]
    assert len(system.judge.accepted) > 0


async def test_the_user_may_do_nothing_else(system: System, crm: str) -> None:  # noqa: F811
    async def bind(channel: AbstractChannel, key: str) -> None:
        queue = await channel.declare_queue("crm-x", exclusive=True)
        await queue.bind(topology.EVENTS, key)

    async def publish(channel: AbstractChannel, exchange: str, key: str) -> None:
        found = await channel.get_exchange(exchange, ensure=False)
        await found.publish(aio_pika.Message(b"x"), key)

    async def take(channel: AbstractChannel, name: str) -> None:
        queue = await channel.get_queue(name, ensure=False)
        await queue.get(fail=False)

    async def tap(channel: AbstractChannel) -> None:
        queue = await channel.declare_queue("crm-x", exclusive=True)
        await queue.bind(topology.INTAKE, topology.SEND_REQUESTS)

    async def flood(channel: AbstractChannel) -> None:
        queue = await channel.get_queue(topology.SEND_REQUESTS, ensure=False)
        await queue.bind(topology.EVENTS, "delivery.*.1")

    owner = await aio_pika.connect(system.amqp)
    peer = await aio_pika.connect(crm)
    async with owner, peer:
        await topology.declare(await owner.channel())
        forbidden = [
            lambda channel: bind(channel, "#"),
            lambda channel: bind(channel, "delivery.*.2"),
            lambda channel: bind(channel, "delivery.*.*"),
            lambda channel: bind(channel, "delivery.sent.11"),
            lambda channel: bind(channel, "batch.*.2"),
            lambda channel: bind(channel, "schedule.#"),
            lambda channel: publish(channel, topology.EVENTS, "delivery.sent.1"),
            lambda channel: publish(channel, topology.DELIVERIES, topology.DELIVERIES),
            lambda channel: publish(channel, topology.DEAD_LETTERS, ""),
            lambda channel: publish(channel, "", topology.DELIVERIES),
            lambda channel: take(channel, topology.SEND_REQUESTS),
            lambda channel: take(channel, topology.DEAD_LETTERS),
            tap,
            flood,
        ]
        for act in forbidden:
            channel = await peer.channel()
            with pytest.raises(REFUSED, match=r"ACCESS_REFUSED|access to"):
                await act(channel)
        await bind(await peer.channel(), "delivery.*.1")
