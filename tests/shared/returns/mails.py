"""Returned mails of each kind, as small as they can be."""

from collections.abc import Sequence

ORIGINAL = (
    "Return-Path: <bounce@ledgerpost.example>\nFrom: Shop <post@ledgerpost.example>\n"
    "To: ana@client.example\nSubject: Statement\n\nThe mailbox full of spam was blocked.\n"
)


def report(
    *groups: str,
    kind: str = "message/delivery-status",
    says: str = "It could not be delivered.",
    original: str = ORIGINAL,
) -> bytes:
    """Return a delivery status notification with these groups of fields for one recipient each."""
    fields = "\n\n".join(("Reporting-MTA: dns; mx.client.example", *groups))
    return multipart(
        ("text/plain; charset=utf-8", says),
        (kind, fields),
        ("message/rfc822", original),
        subtype='report; report-type="delivery-status"',
    )


def failure(status: str, diagnostic: str, action: str = "failed") -> str:
    """Return the fields about one recipient."""
    return (
        "Final-Recipient: rfc822; ana@client.example\n"
        f"Action: {action}\nStatus: {status}\n"
        "Remote-MTA: dns; mx2.client.example\n"
        f"Diagnostic-Code: smtp; {diagnostic}"
    )


def multipart(*parts: tuple[str, str], subtype: str, header: str = "") -> bytes:
    """Return a mail of these parts, each with its media type."""
    bodies = "".join(f"--edge\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts)
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.client.example>\n"
        f"Subject: Undelivered Mail Returned to Sender\n{header}MIME-Version: 1.0\n"
        f'Content-Type: multipart/{subtype};\n\tboundary="edge"\n\n{bodies}--edge--\n'
    ).encode()


def notice(
    text: str, subject: str = "failure notice", sender: str = "MAILER-DAEMON@mx.example"
) -> bytes:
    """Return a notice in a mail server's own words."""
    return f"Return-Path: <>\nFrom: {sender}\nSubject: {subject}\n\n{text}\n".encode()


def letter(
    subject: str, text: str = "I will read your mail on Monday.", fields: Sequence[str] = ()
) -> bytes:
    """Return a mail of a person, or of a program that answers for one."""
    lines = ["From: Ana <ana@client.example>", f"Subject: {subject}", *fields]
    return ("\n".join(lines) + f"\n\n{text}\n").encode()


def feedback(fields: str) -> bytes:
    """Return a feedback report with these fields."""
    return multipart(
        ("text/plain", "This is an abuse report."),
        ("message/feedback-report", fields),
        ("message/rfc822", ORIGINAL),
        subtype="report; report-type=feedback-report",
    )
