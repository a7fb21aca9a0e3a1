"""Mails and gates for tests that talk to the judge."""

from typing import Any
from uuid import UUID, uuid4

from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from shared.mail.envelope import Envelope
from tests.judge.server import Judge

SEND = UUID("018f0000-0000-7000-8000-000000000001")
PATIENT = Timeouts(ready=20, mail=20, rcpt=20, data=20, block=20, to_gate=30, final=20, leave=5)


def envelope(
    recipient: str = "ann@example.org", text: str = "Hello", send: UUID = SEND, **fields: Any
) -> Envelope:
    """Make a small mail that the judge can recognise."""
    body = text.replace("\n", "\r\n")
    data = (
        f"X-Ledgerpost-Send: {send}\r\nX-Ledgerpost-Delivery: {uuid4()}\r\n\r\n{body}\r\n"
    ).encode()
    return Envelope("from@example.com", recipient, fields.pop("data", data), **fields)


def smarthost(judge: Judge, **fields: Any) -> Smarthost:
    """Return the settings of a smarthost that is the judge, by default without TLS."""
    return Smarthost(judge.host, judge.port, **{"tls": "none"} | fields)


class Gate:
    """A gate that returns `answer` and counts its calls."""

    def __init__(self, *, answer: object = True) -> None:
        self.answer = answer
        self.asked = 0

    async def __call__(self) -> bool:
        self.asked += 1
        return self.answer  # type: ignore[return-value]  # a gate that answers nonsense is tested


def pool(judge: Judge, size: int = 1, timeouts: Timeouts = PATIENT, **fields: Any) -> SessionPool:
    """Return a pool of sessions with the judge."""
    return SessionPool(smarthost(judge, **fields), size, timeouts, "client.test")
