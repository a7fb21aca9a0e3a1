"""What returned mails say, for each form that is understood."""

import pytest

from shared.returns.understand import understand
from shared.returns.verdict import Form, Kind, Scope, Verdict
from tests.shared.returns.mails import (
    ORIGINAL,
    failure,
    feedback,
    letter,
    multipart,
    notice,
    report,
)

GONE = "550 5.1.1 <ana@client.example>: user unknown"
BOUNCES = [
    # The status, the server's words, the scope, whether it is permanent.
    ("5.1.1", "550 5.1.1 User unknown", Scope.RECIPIENT, True),
    ("5.1.10", "550 5.1.10 Recipient not found", Scope.RECIPIENT, True),
    ("5.2.1", "550 5.2.1 Mailbox disabled", Scope.RECIPIENT, True),
    ("5.2.2", "552 5.2.2 Mailbox full", Scope.RECIPIENT, False),
    ("5.0.0", "550 No such user here", Scope.RECIPIENT, True),
    ("5.0.0", "550 Mailbox quota exceeded", Scope.RECIPIENT, False),
    ("5.1.8", "553 5.1.8 Domain of sender does not exist", Scope.POLICY, False),
    ("5.7.1", "550 5.7.1 Message blocked by policy", Scope.POLICY, False),
    ("5.7.1", "550 5.7.1 user unknown", Scope.POLICY, False),
    ("5.7.26", "550 5.7.26 DMARC", Scope.POLICY, False),
    ("5.0.0", "554 Blocked by Spamhaus; user unknown to us", Scope.POLICY, False),
    ("5.4.4", "Host or domain name not found", Scope.INFRASTRUCTURE, False),
    ("5.3.0", "unknown mailer error", Scope.INFRASTRUCTURE, False),
    ("4.4.7", "delivery time expired", Scope.INFRASTRUCTURE, False),
    ("4.1.1", "450 4.1.1 user unknown in table", Scope.RECIPIENT, False),
    ("5.3.4", "552 5.3.4 Message too big", Scope.CONTENT, False),
    ("5.6.0", "554 5.6.0 Malformed", Scope.CONTENT, False),
]


@pytest.mark.parametrize(("status", "words", "scope", "permanent"), BOUNCES)
def test_a_bounce_is_about(status: str, words: str, scope: Scope, permanent: bool) -> None:  # noqa: FBT001 - a row
    found = understand(report(failure(status, words)))
    assert (found.kind, found.scope, found.is_permanent) == (Kind.BOUNCE, scope, permanent)
    assert found.status == status
    assert found.diagnostic == words
    assert found.remote_mta == "mx2.client.example"


@pytest.mark.parametrize(
    ("stated", "words", "found"),
    [("5.0.0", GONE, "5.1.1"), ("5.1.1 (no such user)", "x", "5.1.1"), ("4.0.0", GONE, "4.0.0")],
)
def test_the_status_is_the_more_exact_one_of_the_same_class(
    stated: str, words: str, found: str
) -> None:
    assert understand(report(failure(stated, words))).status == found


@pytest.mark.parametrize("kind", ["Message/Delivery-Status", "message/global-delivery-status"])
def test_a_report_is_known_by_its_type(kind: str) -> None:
    assert understand(report(failure("5.1.1", GONE), kind=kind)).kind is Kind.BOUNCE


def test_a_delay_is_no_bounce() -> None:
    found = understand(report(failure("4.4.1", "Connection timed out", action="delayed")))
    assert (found.kind, found.scope, found.is_permanent) == (Kind.DELAY, Scope.TRANSIENT, False)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_success_says_nothing(action: str) -> None:
    assert understand(report(failure("2.0.0", "OK", action=action))) == Verdict(
        Kind.UNKNOWN, form=Form.DELIVERY_STATUS
    )


def test_a_report_speaks_of_the_recipient_of_the_mail() -> None:
    other = failure("5.1.1", GONE).replace("ana@", "bob@")
    mail = report(other, failure("4.4.1", "timed out", action="delayed"))
    assert understand(mail, "Ana@client.example").kind is Kind.DELAY
    assert understand(mail, "bob@client.example").kind is Kind.BOUNCE
    assert understand(mail, "forwarded@else.example").kind is Kind.BOUNCE
    assert understand(mail).kind is Kind.BOUNCE


def test_words_of_the_mail_that_came_back_mean_nothing() -> None:
    silent = failure("5.0.0", "").replace("Diagnostic-Code: smtp; ", "")
    assert understand(report(silent, says="Sorry: no such user")).scope is Scope.RECIPIENT
    assert understand(report(silent, says="It failed.")).scope is Scope.INFRASTRUCTURE


def test_an_auto_submitted_report_is_a_report() -> None:
    mail = report(failure("5.1.1", GONE)).replace(b"MIME-", b"Auto-Submitted: auto-replied\nMIME-")
    assert understand(mail).kind is Kind.BOUNCE


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ("Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1", Kind.COMPLAINT),
        ("User-Agent: x/1\nfeedback-type:  FRAUD", Kind.COMPLAINT),
        ("Feedback-Type: something-new", Kind.COMPLAINT),
        ("", Kind.COMPLAINT),
        ("Feedback-Type: not-spam", Kind.UNKNOWN),
        ("Feedback-Type: auth-failure", Kind.UNKNOWN),
    ],
)
def test_a_feedback_report(fields: str, kind: Kind) -> None:
    assert understand(feedback(fields)) == Verdict(kind, form=Form.FEEDBACK_REPORT)


def test_a_complaint_of_outlook_has_no_feedback_part() -> None:
    mail = multipart(
        ("message/rfc822", f"X-HmXmrOriginalRecipient: ana@client.example\n{ORIGINAL}"),
        subtype="mixed",
    )
    titled = mail.replace(
        b"Undelivered Mail Returned to Sender", b"complaint about message from 192.0.2.1"
    )
    assert understand(titled) == Verdict(Kind.COMPLAINT, form=Form.FEEDBACK_REPORT)
    other = titled.replace(b"X-HmXmr", b"X-")
    assert understand(other).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("mail", "kind", "scope", "permanent"),
    [
        (
            notice(f"Hi. This is the qmail-send program.\n\n<ana@client.example>:\n{GONE}"),
            *(Kind.BOUNCE, Scope.RECIPIENT, True),
        ),
        (
            notice(
                "This message was created automatically by mail delivery software.\n"
                "A message that you sent could not be delivered:\n\n  ana@client.example\n"
                "    Unrouteable address",
                subject="Mail delivery failed: returning message to sender",
            ),
            *(Kind.BOUNCE, Scope.RECIPIENT, True),
        ),
        (
            notice(
                "Your message has not yet been delivered. No action is required: delivery will"
                " be retried.",
                subject="Warning: message delayed 24 hours",
            ),
            *(Kind.DELAY, Scope.TRANSIENT, False),
        ),
        (
            notice(
                "It could not be delivered.\n\nmailbox is full\n\n"
                "------ Original message\nuser unknown"
            ),
            *(Kind.BOUNCE, Scope.RECIPIENT, False),
        ),
        (
            notice(
                "Error: Invalid user address\n\nError message below:\n550 - no such user here",
                subject="Re:Statement",
                sender="post_master@client.example",
            ),
            *(Kind.BOUNCE, Scope.RECIPIENT, True),
        ),
        (
            letter(
                "You post@ledgerpost.example are not member (chairs ML)",
                "You are not a member of this mailing list <chairs@client.example>.",
                fields=["X-MLServer: fml"],
            ),
            *(Kind.BOUNCE, Scope.POLICY, False),
        ),
        (
            multipart(
                (
                    "text/plain; charset=utf-8",
                    "Could not be delivered to: <ana@client.example>\nAs their mailbox is full.",
                ),
                ("message/rfc822", ORIGINAL),
                subtype="mixed",
            )
            .replace(b"Mail Delivery System <MAILER-DAEMON@mx", b"<no-reply@mx")
            .replace(b"Undelivered Mail Returned to Sender", b"Mail"),
            *(Kind.BOUNCE, Scope.RECIPIENT, False),
        ),
    ],
)
def test_a_notice_in_words(
    mail: bytes,
    kind: Kind,
    scope: Scope,
    permanent: bool,  # noqa: FBT001 - a row
) -> None:
    found = understand(mail)
    assert (found.kind, found.scope, found.is_permanent) == (kind, scope, permanent)
    assert found.form is Form.NOTICE


@pytest.mark.parametrize(
    "mail",
    [
        letter("Automatic reply: Statement"),
        letter("Re: Out of office: Statement"),
        letter("=?utf-8?q?R=C3=A9ponse_automatique?= : absent"),
        letter("Thank you", fields=["Auto-Submitted: auto-replied (vacation)"]),
        letter("Thank you", fields=["X-Autoreply: yes"]),
        letter("Undeliverable until Monday", fields=["Precedence: auto_reply"]),
    ],
)
def test_an_automatic_reply(mail: bytes) -> None:
    assert understand(mail) == Verdict(Kind.AUTO_REPLY, form=Form.AUTOMATIC_REPLY)


@pytest.mark.parametrize(
    "mail",
    [
        letter("Re: your statement", "The user unknown to me was blocked: 550 5.1.1 user unknown"),
        letter("Delivery of the chairs", "When can the chairs be delivered?"),
        multipart(("text/plain", "Figures attached."), subtype="mixed")
        .replace(b"Mail Delivery System <MAILER-DAEMON@mx.client.example>", b"ana@client.example")
        .replace(b"Undelivered Mail Returned to Sender", b"Figures"),
        b"",
        b"\n\n\n",
        b"\0\xff\xfe",
    ],
)
def test_a_persons_mail_is_unknown(mail: bytes) -> None:
    assert understand(mail) == Verdict(Kind.UNKNOWN)
