"""Policies and alarms, over the HTTP API of the real RabbitMQ."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from provision.servers import Servers
from services.mailer import app
from services.mailer.smtp.smarthost import Timeouts
from shared.amqp import broker as broker_module
from shared.amqp import topology
from shared.doctor import management
from tests.doctor_report import Doctor, doctor
from tests.vhosts import Vhosts

SETTINGS = {
    "DATABASE_URL": "postgresql://none/none",
    "SMTP_URL": "smtp://none",
    "MAIL_FROM": "post@ledgerpost.example",
}


async def asked(broker: str, address: str) -> Doctor:
    parts = urlsplit(address)
    # By the user of AMQP_URL.
    url = f"http://{parts.hostname}:{parts.port}"
    words = ("--only", "rabbitmq", "--management", url)
    return await doctor(*words, program="services.mailer", **SETTINGS, AMQP_URL=broker)


async def until(broker: str, address: str, holds: Callable[[Doctor], bool]) -> Doctor:
    """A policy is applied a moment after it was set, and is counted a moment later."""
    async with asyncio.timeout(180):
        while not holds(found := await asked(broker, address)):
            pass
    return found


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"message-ttl": 60_000}, "message-ttl"),
        ({"max-length": 5, "overflow": "drop-head"}, "overflow"),
        ({"expires": 3_600_000}, "expires"),
    ],
)
async def test_a_policy_that_loses_messages_is_found(
    broker: str, servers: Servers, policy: dict[str, str | int], words: str
) -> None:
    assert servers.management_url is not None
    async with await broker_module.connect(broker, "test") as connection:
        await topology.declare(await connection.channel())
    well = await until(
        broker, servers.management_url, lambda found: "rabbitmq.policies" not in found.not_ok
    )
    assert well.statuses["rabbitmq.alarms"] == {"ok"}
    assert str(urlsplit(broker).password) not in str(well.report)
    Vhosts(servers.management_url).set_policy(urlsplit(broker).path[1:], "test", **policy)
    found = await until(
        broker, servers.management_url, lambda found: "rabbitmq.policies" in found.not_ok
    )
    assert found.statuses["rabbitmq.policies"] == {"failure"}
    assert any(words in text for _, text in found.of("rabbitmq.policies"))


async def test_an_http_api_that_refuses_is_skipped(broker: str, servers: Servers) -> None:
    assert servers.management_url is not None
    parts = urlsplit(servers.management_url)
    found = await asked(broker, f"http://{parts.hostname}:9")
    assert found.statuses["rabbitmq.policies"] == {"skipped"}
    assert found.statuses["rabbitmq.alarms"] == {"skipped"}


@pytest.mark.parametrize(("milliseconds", "faults"), [(5_400_000, 1), (14_400_000, 0)])
def test_a_consumer_timeout_below_what_a_mailer_takes_is_found(
    milliseconds: int, faults: int
) -> None:
    # A policy has it from RabbitMQ 3.12 on.
    policy = {"consumer-timeout": milliseconds}
    longest = app.longest_hold(Timeouts(), databases=1)
    assert len(list(management._impatient(topology.DELIVERIES, policy, longest))) == faults
