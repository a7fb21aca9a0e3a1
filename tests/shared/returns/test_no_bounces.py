"""Mails that are no bounces, however much they look like one: none is counted as a bounce."""

from collections.abc import Sequence

import pytest

from shared.returns.understand import understand
from shared.returns.verdict import Form, Kind
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
REPORT = report(failure("5.1.1", GONE)).decode()
OF_A_SERVER = ("Return-Path: <>", "Auto-Submitted: auto-replied")


def written(
    sender: str, subject: str, text: str, *fields: str, kind: str = "text/plain; charset=utf-8"
) -> bytes:
    lines = [f"From: {sender}", f"Subject: {subject}", *fields, f"Content-Type: {kind}"]
    return ("\n".join(lines) + f"\n\n{text}\n").encode()


def forwarded(*parts: tuple[str, str], subject: str) -> bytes:
    """Return a mail in which a person passes these parts on."""
    mail = multipart(("text/plain", "Ana, what does this mean?"), *parts, subtype="mixed")
    return mail.replace(
        b"From: Mail Delivery System <MAILER-DAEMON@mx.client.example>",
        b"Return-Path: <bob@client.example>\nFrom: Bob <bob@client.example>",
    ).replace(b"Undelivered Mail Returned to Sender", subject.encode())


def reported(kind: str, *parts: tuple[str, str], subject: str) -> bytes:
    """Return a report of this type that a server wrote."""
    mail = multipart(*parts, subtype=f"report; report-type={kind}", header="Return-Path: <>\n")
    return mail.replace(b"Undelivered Mail Returned to Sender", subject.encode())


FIELDS = REPORT[REPORT.index("Reporting-MTA") : REPORT.index("--edge\nContent-Type: message/rfc")]
UNKNOWN = {
    "a newsletter that explains bounces": written(
        "Mail Delivery Weekly <bounce@news.example>",
        "Returned mail: what 550 5.1.1 user unknown means",
        f"Delivery failed? The server said: {GONE}",
        "List-Unsubscribe: <https://news.example/u>",
    ),
    "a newsletter without a link to leave it": written(
        "The Deliverability Blog <hello@news.example>",
        "Message rejected: why mail could not be delivered",
        f"This month: {GONE}",
    ),
    "an advertisement from nobody": written(
        "Parcels <no-reply@parcels.example>",
        "Delivery failed: your parcel could not be delivered",
        "Your parcel could not be delivered to 550 Main Street.",
    ),
    "a mailing list's letter about bounces": written(
        "Mail Delivery System list <mailsystem@lists.example>",
        "[mail] Undelivered Mail Returned to Sender",
        f"Who knows this one?\n\n{GONE}",
        "List-Id: <mail.lists.example>",
    ),
    "a mail of a list that encloses a report": multipart(
        ("message/rfc822", REPORT),
        subtype="mixed",
        header="Return-Path: <>\nList-Id: <a.example>\n",
    ),
    "a receipt that a list passes on": reported(
        "disposition-notification",
        ("text/plain", "It was read."),
        ("message/disposition-notification", "Disposition: manual-action/MDN-sent; displayed"),
        subject="Read",
    ).replace(b"MIME-", b"List-Id: <a.example>\nMIME-", 1),
    "a report that a person forwards as a mail": forwarded(
        ("message/rfc822", REPORT), subject="Fwd: Undelivered Mail Returned to Sender"
    ),
    "a report that a person forwards as its parts": forwarded(
        ("message/delivery-status", FIELDS), subject="WG: Undelivered Mail Returned to Sender"
    ),
    "a report that a person forwards in a text": forwarded(
        ("text/plain", FIELDS), subject="Fwd: Undelivered Mail Returned to Sender"
    ),
    "a person who answers a notice": letter(
        "Re: Undelivered Mail Returned to Sender",
        f"It works again.\n\n> It could not be delivered.\n> {GONE}",
        ("In-Reply-To: <1@mx.client.example>",),
    ),
    "a postmaster who answers": written(
        "Postmaster <postmaster@client.example>",
        "Re: mail could not be delivered",
        "Hello, it works again. You wrote:\n> It could not be delivered:\n> " + GONE,
    ),
    "a receipt": reported(
        "disposition-notification",
        ("text/plain", "Your message was deleted without being read: delivery failed."),
        ("message/disposition-notification", "Disposition: automatic-action/x; deleted"),
        subject="Not read: Statement",
    ),
    "a receipt that failed": reported(
        "disposition-notification",
        ("text/plain", "550 5.1.1 user unknown. It could not be delivered."),
        ("message/disposition-notification", "Disposition: automatic-action/x; failed"),
        subject="Undeliverable: Statement",
    ),
    "a notice of a success": notice(
        "Your message was successfully delivered to:\n  ana@client.example",
        subject="Delivery Status Notification (Success)",
    ),
    "a notice that a mail was relayed": notice(
        "Delivery to these recipients was relayed:\n  ana@client.example",
        subject="Delivery Status Notification (Relay)",
    ),
    "a question": written(
        "postmaster@client.example",
        "Your message could not be delivered yet",
        "Please confirm that you are a person: click the link below.",
        *OF_A_SERVER[:1],
    ),
    "reports on TLS": reported(
        "tlsrpt",
        ("text/plain", "This is an aggregate TLS report. Delivery failed 3 times."),
        ("application/tlsrpt+gzip", "x"),
        subject="Report Domain: ledgerpost.example",
    ),
    "reports on DMARC": multipart(
        ("text/plain", "This is an aggregate report."),
        ("application/gzip", "x"),
        subtype="mixed",
        header="Return-Path: <>\n",
    ).replace(b"Undelivered Mail Returned to Sender", b"Report Domain: ledgerpost.example"),
    "a server's thanks": written(
        "postmaster@client.example", "We have your mail", "It is in our queue.", *OF_A_SERVER
    ),
    "a server that took it and may try again": written(
        "postmaster@client.example",
        "automatic notification",
        "It was rejected because the mailbox is full. You may resend it.",
        *OF_A_SERVER,
    ),
    "a person who left": letter("New address", f"My mailbox was closed: {GONE}"),
}
REPLIES = {
    "for good": letter(
        "Automatic reply: Statement",
        "I have left permanently. Mail to this address could not be delivered: user unknown.",
        OF_A_SERVER,
    ),
    "with an empty path and a code": letter(
        "Out of office", f"This mailbox no longer exists. {GONE}", ("Return-Path: <>",)
    ),
    "by a field": letter(
        "Delivery failed? I am away", GONE, ("X-Autoreply: yes", "Return-Path: <>")
    ),
    "to a bounce": letter(
        "Automatic reply: Undeliverable: Statement",
        "I am away permanently.",
        ("Return-Path: <>", "X-Auto-Response-Suppress: All"),
    ),
    "of a ticket system": written(
        "Support <support@client.example>",
        "Undeliverable? We have your mail [#550]",
        "Delivery failed is a common question.",
        *OF_A_SERVER,
    ),
    "of a postmaster who is away": written(
        "postmaster@client.example", "Out of office", "It did not reach me.", *OF_A_SERVER
    ),
}
DELAYS = {
    "a report with a status of failure": report(
        failure("5.1.1", GONE, action="delayed"), says="Your message failed permanently."
    ),
    "a warning with a reply of failure": notice(
        f"THIS IS A WARNING MESSAGE ONLY.\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n{GONE}",
        subject="Warning: could not send message for past 4 hours",
    ),
    "one that tells when it will have failed": notice(
        "Delivery is delayed. No action is required: if it has failed after 5 days, you will be"
        " told.",
        subject="Delivery delayed",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_it_is_nothing_that_is_known(name: str) -> None:
    assert understand(UNKNOWN[name], "ana@client.example").kind is Kind.UNKNOWN


@pytest.mark.parametrize("name", REPLIES)
def test_it_is_an_automatic_reply(name: str) -> None:
    assert understand(REPLIES[name], "ana@client.example").kind is Kind.AUTO_REPLY


@pytest.mark.parametrize("name", DELAYS)
def test_it_is_a_delay(name: str) -> None:
    assert understand(DELAYS[name], "ana@client.example").kind is Kind.DELAY


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
@pytest.mark.parametrize("says", ["It has failed before: 550 5.1.1 user unknown.", "It is there."])
def test_a_success_is_no_bounce(action: str, says: str) -> None:
    found = understand(report(failure("2.1.5", GONE, action=action), says=says))
    assert (found.kind, found.form) == (Kind.UNKNOWN, Form.DELIVERY_STATUS)


MARKS: Sequence[tuple[bytes, Form]] = (
    (b"List-Unsubscribe: <https://news.example/u>", Form.LIST_MAIL),
    (b"X-Autoreply: yes", Form.AUTOMATIC_REPLY),
)


@pytest.mark.parametrize(("field", "form"), MARKS)
def test_the_same_mail_without_the_mark_is_a_bounce(field: bytes, form: Form) -> None:
    """So that each of these marks is what decides."""
    mail = written("ana@client.example", "Undeliverable: Statement", GONE, "Return-Path: <>")
    assert understand(mail).kind is Kind.BOUNCE
    assert understand(field + b"\n" + mail).form is form


def test_a_mail_that_came_back_may_have_the_fields_of_a_list() -> None:
    original = "List-Unsubscribe: <https://ledgerpost.example/u>\n" + ORIGINAL
    assert understand(report(failure("5.1.1", GONE), original=original)).kind is Kind.BOUNCE


@pytest.mark.parametrize("field", ["List-Id", "List-Unsubscribe", "List-Post"])
def test_a_report_with_the_fields_of_a_list_is_a_report(field: str) -> None:
    marked = f"{field}: <a.example>\nMIME-".encode()
    bounce, complaint = report(failure("5.1.1", GONE)), feedback("Feedback-Type: abuse")
    found = understand(bounce.replace(b"MIME-", marked, 1))
    assert (found.kind, found.status, found.form) == (Kind.BOUNCE, "5.1.1", Form.DELIVERY_STATUS)
    assert understand(complaint.replace(b"MIME-", marked, 1)).kind is Kind.COMPLAINT
