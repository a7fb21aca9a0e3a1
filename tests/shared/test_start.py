import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from shared import logs, start
from shared.settings import Settings


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    text = io.StringIO()
    logs.configure(Settings(), text)
    yield text
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_the_first_line_names_the_neighbours_and_no_secret(stream: io.StringIO) -> None:
    start.tell(
        "relay",
        Postgres="postgresql://user:s3cret@one:5432/ledger?password=s3cret",
        RabbitMQ="amqp://user:s3cret@a:5672,b:5672/%2Fmail",
    )
    (event,) = map(json.loads, stream.getvalue().splitlines())
    assert event["event"] == (
        "Ledgerpost 0.1.0 relay, Postgres at one:5432/ledger, RabbitMQ at a:5672,b:5672//mail"
    )
    assert "s3cret" not in stream.getvalue()


def test_a_socket_has_no_host() -> None:
    assert start.place("postgresql:///ledger?host=/run/postgresql") == "a socket/ledger"
