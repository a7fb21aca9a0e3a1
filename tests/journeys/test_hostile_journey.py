"""Hostile texts on their way from ledger and request to mail and logs."""

import io
import json
import logging
import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import structlog

from shared.process import logs
from shared.process.settings import Settings
from tests.journeys.conftest import System
from tests.shared.statements.hostile import PAYLOADS
from tests.shared.statements.reading import shape, words

# Every header of a mail, in this order, whatever the ledger says.
HEADERS = [
    "To",
    "Message-ID",
    "X-Ledgerpost-Delivery",
    "Subject",
    "From",
    "Reply-To",
    "Date",
    "Auto-Submitted",
    "X-Ledgerpost-Send",
    "MIME-Version",
    "Content-Type",
]
_FILL = """
UPDATE businesses SET name = $1, phone = $1, address = $1 WHERE id = 1;
UPDATE customers SET first_name = $1, last_name = $1, phone_number = $1, business_name = $1,
    business_address = $1, business_phone = $1, business_location = $1
    WHERE business_id = 1 AND id = 4;
UPDATE invoices SET number = $1 WHERE business_id = 1;
UPDATE payments SET method = $1, reference = $1 WHERE business_id = 1;
UPDATE categories SET name = $1 WHERE business_id = 1;
"""


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All log lines at the level debug."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    logs.configure(Settings(log_level="debug"), stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_no_text_of_ledger_or_request_becomes_more_than_text(
    system: System, logged: io.StringIO
) -> None:
    shapes = set()
    async with system.relay(), system.mailer():
        for payload in ("plain", *PAYLOADS):
            text = payload.replace("\0", "")
            for statement in _FILL.strip().split(";\n"):
                await system.db.execute(statement.rstrip(";"), text)
            sent = await system.send(message=text[:10_000])
            lines = text[:10_000].replace("\r\n", "\n").replace("\r", "\n")
            assert sent["personal_message"] == lines
            seen = await system.settled(sent["id"])
            assert seen["status"] == "sent", seen
            mail = system.judge.accepted[-1]
            assert max(map(len, mail.data.split(b"\r\n"))) <= 998
            assert len(mail.data.split(b"\r\n\r\n", 1)[0]) < 5_000
            message = mail.message
            assert message.keys() == HEADERS, payload
            assert [str(message["To"]), len(message.get_all("From"))] == [mail.recipient, 1]
            assert message["Reply-To"].addresses[0].addr_spec == "owner@kente.example.com"
            assert "victim@" not in _headers(message)
            (attached,) = message.iter_attachments()
            assert re.fullmatch(r"statement[a-z0-9-]*\.pdf", attached.get_filename())
            shapes.add(_shape(message))
    assert len(system.judge.accepted) == len(PAYLOADS) + 1
    assert len(shapes) == 1
    events = logged.getvalue().splitlines()
    assert all(json.loads(line)["event"] for line in events)
    assert max(map(len, events)) < 20_000


def _headers(message: EmailMessage) -> str:
    """The values of the headers that a mail server or reader acts on."""
    return " ".join(str(message[name]) for name in ("To", "Message-ID", "Content-Type"))


def _shape(message: EmailMessage) -> tuple[Any, ...]:
    body = message.get_body(("html",))
    assert body is not None
    html: str = body.get_content()
    assert words(html)
    return tuple(shape(html))


async def test_no_secret_and_no_content_of_a_mail_is_in_a_log_at_any_level(
    system: System, logged: io.StringIO
) -> None:
    message = "a very personal message"
    async with system.relay(), system.mailer():
        sent = await system.send(message=message, other_emails=["private-address@x.example"])
        await system.settled(sent["id"])
        for path in (f"/api/v3/sends/{sent['id']}", "/api/v3/sends", "/health/ready", "/metrics"):
            async with system.http.get(path) as response:
                assert response.status == 200
        async with system.http.post(
            "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30",
            json={"message": message, "other_emails": ["private-address"]},
        ) as response:
            assert response.status == 422
        path = "/api/v3/suppressions/private-address@x.example"
        async with system.http.delete(path) as response:
            assert response.status == 404
        async with system.http.post("/api/v3/sends", data=b"{", headers={"X": "y"}) as response:
            assert response.status == 405
    text = logged.getvalue()
    assert '"event":"attempt_recorded"' in text
    assert '"level":"debug"' in text
    key = system.http.headers["Authorization"].removeprefix("Bearer ")
    secrets = {
        "the key": key[len("ledgerpost_") + 8 :],
        "Postgres's password": _password(system.dsn),
        "RabbitMQ's password": _password(system.amqp),
        "the message": message,
        "an address": "private-address",
        "the customer's address": "esi@customers",
        "the customer's name": "Ɛsi",
        "a figure": "900.2",
    }
    assert [name for name, secret in secrets.items() if secret in text] == []
    assert all(json.loads(line)["event"] for line in text.splitlines())


def _password(url: str) -> str:
    return url.partition("//")[2].partition("@")[0].rpartition(":")[2]
