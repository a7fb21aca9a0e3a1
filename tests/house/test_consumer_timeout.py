"""RabbitMQ waits for a mailer's acknowledgement for longer than a mailer may hold a message."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from provision import rabbitmq_node
from provision.account import Account
from provision.record import Record
from services.mailer.app import PREFETCH, longest_hold
from services.mailer.smtp.smarthost import Timeouts

ROOT = Path(__file__).parents[2]
MARGIN = timedelta(minutes=15)  # to claim, to make the mail and to record what became of it


def timeout(text: str) -> timedelta:
    found = re.findall(r"^consumer_timeout = (\d+)$", text, re.MULTILINE)
    assert len(found) == 1
    return timedelta(milliseconds=int(found[0]))


@pytest.mark.parametrize("path", ["docker/rabbitmq.conf", "docs/rabbitmq.md"])
def test_an_installation_waits_long_enough(path: str) -> None:
    longest = longest_hold(Timeouts(), databases=1)
    assert timeout((ROOT / path).read_text("utf-8")) >= longest + MARGIN


def test_our_own_rabbitmq_waits_as_long_as_compose(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    (folder / "home").mkdir(parents=True)
    ports = {"amqp": 1, "distribution": 2, "management": 3, "epmd": 4}
    account = Account.current()
    rabbitmq_node.write(folder, Record(ports, "secret"), account, management=False)
    ours = timeout((folder / "rabbitmq.conf").read_text("utf-8"))
    assert ours == timeout((ROOT / "docker/rabbitmq.conf").read_text("utf-8"))


def test_a_second_database_doubles_the_time() -> None:
    limits = Timeouts()
    assert longest_hold(limits, databases=2) == 2 * longest_hold(limits, databases=1)


@pytest.mark.parametrize("path", ["docker/rabbitmq.conf", "docs/install.md"])
def test_the_number_of_messages_is_told_as_it_is(path: str) -> None:
    assert f"{PREFETCH} messages" in (ROOT / path).read_text("utf-8")
