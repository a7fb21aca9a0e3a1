"""Usual addresses are read as aiosmtpd reads them, and unusual ones by aiosmtpd."""

import pytest
from aiosmtpd.smtp import SMTP
from prometheus_client import CollectorRegistry

from services.mailer.returns.answers import Answers
from services.mailer.returns.limits import Limits, Memory
from services.mailer.returns.session import SmtpSession
from shared.process.trouble import Trouble
from shared.returns.metrics import ReturnMetrics
from shared.returns.receiving import Receiver
from tests.services.mailer.returns.mail_server import PATHS


@pytest.fixture
async def session() -> SmtpSession:
    counted = CollectorRegistry()
    receiver = Receiver([], PATHS, ReturnMetrics(counted))
    answers = Answers(receiver, Limits(), Trouble("tests"), counted)
    return SmtpSession(answers, Limits(), Memory(0), "mx.example", None, lambda _: None)


@pytest.mark.parametrize(
    "given",
    [
        *(
            "<>",
            "<> SIZE=99",
            "<>SIZE=99",
            "<a@b.example>",
            "<A.b-c=d_e+1@b.example> BODY=8BITMIME",
        ),
        *(
            "<bounce+a2.b3@b.example>  X",
            "<a@b>",
            "<postmaster>",
            "a@b.example",
            "<a@b.example",
            "",
        ),
        *('<"a b"@c.example>', "<a..b@c.example>", "<.a@b.example>", "<a@b..example>", "<a@.b>"),
        *(
            "<@x.example:a@b.example>",
            "<a@[192.0.2.1]>",
            "<ü@b.example>",
            "<a@b.example>>",
            "<a @b>",
        ),
        *(
            "< a@b.example >",
            "<a(c)@b.example>",
            " <a@b.example>",
            "<a@b.example.>",
            "<a@-b.example>",
        ),
    ],
)
async def test_as_aiosmtpd_reads_it(session: SmtpSession, given: str) -> None:
    found, rest = session._getaddr(given)
    known, rest_known = SMTP._getaddr(session, given)
    assert (found, (rest or "").split()) == (known, (rest_known or "").split())
