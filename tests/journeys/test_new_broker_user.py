"""A new user of RabbitMQ takes the place of the old one, by the commands of docs/keys.md."""

import re
import secrets
import shlex
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import pytest
from aiormq.exceptions import AMQPConnectionError

from provision.place import remove
from provision.rabbitmq import RabbitMQ
from provision.servers import own_rabbitmq
from tests.journeys.conftest import System

ROOT = Path(__file__).parents[2]
NAME = "new-broker-user"


@pytest.fixture
def rabbitmq() -> Iterator[RabbitMQ]:
    """A broker of its own, because its user `ledgerpost` is deleted."""
    server = own_rabbitmq(ROOT, NAME)
    server.start()
    try:
        yield server
    finally:
        server.wipe()
        remove(ROOT, NAME)


@pytest.mark.long
async def test_the_old_user_is_deleted_and_no_mail_is_lost(
    system: System, rabbitmq: RabbitMQ
) -> None:
    old, password = rabbitmq.url, secrets.token_urlsafe(12)
    before, after = _commands(password)
    system.amqp = old
    async with AsyncExitStack() as first:
        await first.enter_async_context(system.relay())
        await first.enter_async_context(system.mailer())
        ids = [(await system.send())["id"]]
        assert (await system.settled(ids[0]))["status"] == "sent"
        for command in before:
            rabbitmq.control(*command)
        system.amqp = _of(old, "ledgerpost_2", password)
        async with system.relay(), system.mailer():
            await first.aclose()
            ids.append((await system.send())["id"])
            for command in after:
                rabbitmq.control(*command)
            with pytest.raises(AMQPConnectionError):
                await aio_pika.connect(old)
            ids.append((await system.send())["id"])
            for each in ids:
                assert (await system.settled(each))["status"] == "sent"
    assert sum(system.judge.counts().values()) == len(ids)
    assert set(system.judge.counts().values()) == {1}


def _commands(password: str) -> tuple[list[list[str]], list[list[str]]]:
    """Return the arguments of rabbitmqctl before and after the restart of the processes."""
    text = (ROOT / "docs" / "keys.md").read_text("utf-8")
    [block] = re.findall(r"^### AMQP_URL\n+```sh\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    before, restart, after = block.partition("# restart relays and mailers with the new AMQP_URL")
    assert restart
    made = [
        [
            shlex.split(line.replace("$PASSWORD", password).replace("$VHOST", "/"))[1:]
            for line in part.splitlines()
            if line.startswith("rabbitmqctl ")
        ]
        for part in (before, after)
    ]
    assert [len(part) for part in made] == [2, 1]
    return made[0], made[1]


def _of(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}").geturl()
