"""The table of refusals: whose fault each code is, at each stage, with and without a status."""

import pytest

from services.mailer.smtp.outcomes import Blame, Deferred, Failed
from services.mailer.smtp.refusals import refusal
from services.mailer.smtp.replies import Reply, ReplyReader
from services.mailer.smtp.reply_codes import reason_code
from shared.deliveries.reasons import ReasonCode

STAGES = ("RCPT", "DATA", "the message's text", "the end of the message")
M, S, U = Blame.MAIL, Blame.SMARTHOST, Blame.UNCLEAR

# As real servers say it, and whom they mean.
SAID = [
    (M, "550 5.1.1 <a@b.c>: Recipient address rejected: User unknown in local recipient table"),
    (M, "550 5.1.0 bad address"),
    (M, "551 5.1.6 moved"),
    (M, "553 5.1.3 bad syntax"),
    (M, "556 5.1.10 null MX"),
    (M, "550 5.4.1 Recipient address rejected: Access denied"),
    (M, "550 5.4.4 unable to route"),
    (M, "552 5.2.2 over quota"),
    (M, "550 5.2.1 mailbox disabled"),
    (M, "552 5.3.4 message too big"),
    (M, "554 5.6.0 malformed"),
    (M, "550 5.6.7 no SMTPUTF8"),
    (M, "504 5.5.2 <a@b>: Recipient address rejected: need fully-qualified address"),
    (M, "550 no such user"),
    (M, "552 mailbox full, quota exceeded"),
    (M, "553 mailbox name not allowed"),
    (M, "556 no mail here"),
    (S, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"),
    (S, "450 4.7.1 later"),
    (S, "554 5.7.1 <unknown[1.2.3.4]>: Client host rejected: Access denied"),
    (S, "554 5.7.1 <x+bounce-1@y.z>: Sender address rejected: Access denied"),
    (S, "550 5.1.0 <x@y.z>: Sender address rejected: User unknown in virtual mailbox table"),
    (S, "553 5.1.8 Domain of sender address does not exist"),
    (S, "550 5.1.7 bad sender"),
    (S, "550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    (S, "530 5.7.57 Client not authenticated to send mail"),
    (S, "550 5.2.252 SendAsDenied; a@b.c not allowed to send as d@e.f"),
    (S, "550 5.4.5 Daily user sending limit exceeded"),
    (S, "550 5.7.708 Access denied, traffic not accepted from this IP"),
    (S, "503 5.5.1 bad sequence"),
    (S, "500 5.5.2 what?"),
    (S, "550 5.7.1 Authentication required"),
    (S, "550 HELO argument is not a host name"),
    (S, "550 Sender verify failed"),
    (S, "550 The from address does not match a verified Sender Identity"),
    (S, "550 Unauthenticated senders not allowed"),
    (S, "550 You have exceeded your daily sending limit"),
    (S, "550 5.7.0 outgoing message quota reached"),
    (S, "554 too many messages from you"),
    (S, "500 what?"),
    (S, "502 not here"),
    (S, "503 bad sequence"),
    (S, "504 no"),
    (S, "530 who are you?"),
    (S, "521 no mail here"),
    (U, "550 5.7.1 no"),
    (U, "554 5.7.1 <a@b.c>: Relay access denied"),
    (U, "554 5.7.1 <a@b.c>: Recipient address rejected: Policy rejection"),
    (U, "554 5.7.1 spam message rejected"),
    (U, "550 5.7.26 unauthenticated mail is prohibited"),
    (U, "554 5.3.0 no"),
    (U, "550 5.0.0 no"),
    (U, "554 transaction failed"),
    (U, "571 blocked"),
    (U, "550 blocked by our policy"),
    (U, "550 relaying denied"),
    (U, "599 never heard of"),
]


def reply(text: str) -> Reply:
    return next(ReplyReader().feed(text.encode() + b"\r\n"))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("blame", "text"), SAID, ids=[text for _, text in SAID])
def test_whom_a_refusal_speaks_of(stage: str, blame: Blame, text: str) -> None:
    outcome = refusal(stage, reply(text))
    if text.startswith("4"):
        assert isinstance(outcome, Deferred)
        assert (outcome.reason, outcome.reply) == (f"put off at {stage}", text)
        return
    assert isinstance(outcome, Failed)
    assert (outcome.blame, outcome.reply) == (blame, text)


def test_a_syntax_error_at_rcpt_is_the_address_and_elsewhere_the_session() -> None:
    blames = [getattr(refusal(stage, reply("501 syntax")), "blame", None) for stage in STAGES]
    assert blames == [M, S, S, S]


@pytest.mark.parametrize(
    ("status", "blame"), [("5.1.1", M), ("5.4.5", S), ("5.5.0", S), ("5.7.1", U)]
)
@pytest.mark.parametrize("stage", STAGES)
def test_a_status_outranks_the_code(stage: str, status: str, blame: Blame) -> None:
    for code in range(500, 600):
        outcome = refusal(stage, reply(f"{code} {status} no"))
        suppress = stage == "RCPT" and status == "5.1.1"
        said = f"{code} {status} no"
        why = reason_code(stage, reply(said))
        assert outcome == Failed(f"refused at {stage}", said, suppress, blame, code=why)


def test_a_reply_of_no_refusal_defers() -> None:
    busy, odd = ReasonCode.SMARTHOST_BUSY, ReasonCode.SMARTHOST_PROTOCOL_ERROR
    put_off = refusal("DATA", reply("451 4.3.0 x"))
    assert put_off == Deferred("put off at DATA", "451 4.3.0 x", code=busy)
    unexpected = refusal("DATA", reply("250 huh"))
    assert unexpected == Deferred("unexpected reply at DATA", "250 huh", code=odd)


@pytest.mark.parametrize(
    ("stage", "text", "code"),
    [
        ("RCPT", "550 5.1.1 nobody", ReasonCode.RECIPIENT_UNKNOWN),
        ("RCPT", "450 4.1.1 not yet", ReasonCode.RECIPIENT_UNKNOWN),
        ("RCPT", "550 5.1.10 null MX", ReasonCode.RECIPIENT_UNKNOWN),
        ("RCPT", "553 5.1.8 our domain", ReasonCode.SENDER_REFUSED),
        ("RCPT", "452 4.2.2 full", ReasonCode.MAILBOX_FULL),
        ("the end of the message", "552 5.2.2 full", ReasonCode.MAILBOX_FULL),
        ("RCPT", "550 5.2.1 disabled", ReasonCode.MAILBOX_UNAVAILABLE),
        ("DATA", "554 5.3.4 too big", ReasonCode.MESSAGE_TOO_LARGE),
        ("RCPT", "452 4.3.1 disk", ReasonCode.SMARTHOST_BUSY),
        ("RCPT", "451 4.4.1 no route", ReasonCode.RECIPIENT_UNREACHABLE),
        ("RCPT", "550 5.4.5 quota", ReasonCode.SENDING_LIMIT),
        ("RCPT", "554 5.5.1 order", ReasonCode.SMARTHOST_REFUSED),
        ("MAIL", "553 5.6.7 utf8", ReasonCode.SMTPUTF8_UNSUPPORTED),
        ("the end of the message", "554 5.6.0 odd", ReasonCode.MESSAGE_REFUSED),
        ("the end of the message", "554 5.7.1 spam", ReasonCode.POLICY_REFUSED),
        ("RCPT", "550 5.0.0 no", ReasonCode.RECIPIENT_REFUSED),
        ("RCPT", "550 no", ReasonCode.RECIPIENT_REFUSED),
        ("RCPT", "450 not now", ReasonCode.RECIPIENT_REFUSED),
        ("MAIL", "450 not now", ReasonCode.SENDER_REFUSED),
        ("DATA", "554 no", ReasonCode.MESSAGE_REFUSED),
        ("RCPT", "530 log in", ReasonCode.SMARTHOST_REFUSED),
        ("RCPT", "421 closing", ReasonCode.SMARTHOST_BUSY),
        ("RCPT", "354 huh", ReasonCode.SMARTHOST_PROTOCOL_ERROR),
    ],
)
def test_the_code_of_a_reply(stage: str, text: str, code: ReasonCode) -> None:
    assert refusal(stage, reply(text)).code is code
