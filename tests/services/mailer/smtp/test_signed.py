"""Signed mails on their way: through a real Postfix, and with lines that begin with a dot."""

import re

from services.mailer.smtp.outcomes import Sent
from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Smarthost
from shared.mail.dkim import Signer
from shared.mail.envelope import Envelope
from shared.mail.unsubscribe import Links
from tests.judge import opendkim, postfix
from tests.judge.mail import PATIENT, Gate, pool
from tests.judge.server import Judge
from tests.servers import absent
from tests.shared.mail.messages import DELIVERY, message_of
from tests.shared.mail.signed import key, records, verdicts

KEYS = key("2026r"), key("2026e", "ed25519")
LINKS = Links("a secret of more than thirty-two characters", "https://lp.example")
# It hands all mail on to the judge, as a smarthost does to the recipient's server.
HANDS_ON = """
smtpd_client_restrictions =
relay_transport = smtp:[127.0.0.1]:{port}
smtp_dns_support_level = disabled
smtp_tls_security_level = none
"""


def signed(to: str) -> Envelope:
    text = ".\n..\n. a line that begins with a dot\n"
    message = message_of(text=text, html=".\n.<p>12 €</p>\n.\n")
    return message.envelope(to, DELIVERY, LINKS, Signer(KEYS))


async def test_the_octets_that_were_signed_are_those_that_arrive(judge: Judge) -> None:
    envelope = signed("ann@example.org")
    sessions = pool(judge)
    assert isinstance(await sessions.hand_over(envelope, Gate()), Sent)
    await sessions.close()
    (mail,) = judge.accepted
    assert mail.data == envelope.data
    assert re.search(rb"^\.", mail.data, re.MULTILINE)
    assert verdicts(mail.data, records(*KEYS)) == [True, True]


async def test_signatures_are_good_behind_a_real_postfix(judge: Judge) -> None:
    if (reason := postfix.unavailable()) is not None:
        absent(reason)
    async with postfix.postfix(HANDS_ON.format(port=judge.port)) as (port, _):
        sessions = SessionPool(Smarthost("127.0.0.1", port), 1, PATIENT, "client.test")
        for to in ("ann@d.org", "jörg@d.org"):
            assert isinstance(await sessions.hand_over(signed(to), Gate()), Sent)
        await judge.until(lambda j: len(j.accepted) == 2, timeout=60)
        await sessions.close()
    for mail in judge.accepted:
        assert mail.data.startswith(b"Received: ")
        assert verdicts(mail.data, records(*KEYS)) == [True, True]


async def test_opendkim_agrees_behind_a_real_postfix(judge: Judge) -> None:
    for reason in (postfix.unavailable(), opendkim.unavailable()):
        if reason is not None:
            absent(reason)
    async with postfix.postfix(HANDS_ON.format(port=judge.port)) as (port, _):
        sessions = SessionPool(Smarthost("127.0.0.1", port), 1, PATIENT, "client.test")
        assert isinstance(await sessions.hand_over(signed("ann@d.org"), Gate()), Sent)
        await judge.until(lambda j: len(j.accepted) == 1, timeout=60)
        await sessions.close()
    (mail,) = judge.accepted
    assert await opendkim.complaint(mail.data, records(*KEYS)) is None
