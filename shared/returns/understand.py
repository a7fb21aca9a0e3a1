"""Understands a returned mail: the forms in the order in which they are tried."""

from shared.returns import (
    automatic_reply,
    delivery_status,
    feedback_report,
    no_report,
    plain_notice,
    ses_notification,
)
from shared.returns.parts import read
from shared.returns.verdict import Kind, Verdict


def understand(raw: bytes, recipient: str | None = None) -> Verdict:
    """Return what a returned mail says about the mail to `recipient` (an address), if it is known.

    Mails of lists and receipts say nothing, whatever they quote, unless they declare themselves a
    report of a failure or a complaint. A delivery status notification
    comes before a feedback report, a notice in words of its own, and an automatic reply. Never
    raises; a mail that says nothing known is `unknown`.
    """
    mail = read(raw)
    return (
        no_report.verdict(mail)
        or delivery_status.verdict(mail, recipient)
        or feedback_report.verdict(mail)
        or ses_notification.verdict(mail, recipient)
        or plain_notice.verdict(mail)
        or automatic_reply.verdict(mail)
        or Verdict(Kind.UNKNOWN)
    )
