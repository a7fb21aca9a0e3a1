"""Mails that report no failure, however much they look like a bounce: of lists, and receipts."""

from typing import Final

from shared.returns.parts import Returned
from shared.returns.verdict import Form, Kind, Verdict

# Servers that return a mail write none of these; newsletters and mailing lists write them.
_LIST_FIELDS: Final = ("list-id", "list-unsubscribe", "list-post")
# Receipts (RFC 8098), and daily reports about TLS (RFC 8460).
_REPORTS: Final = frozenset({"disposition-notification", "tlsrpt"})
# What reports of a failure or a complaint declare.
_FAILURES: Final = frozenset({"delivery-status", "feedback-report"})


def verdict(mail: Returned) -> Verdict | None:
    """Return the verdict on a mail of a list or a receipt, or None if the mail is neither.

    A mail that declares itself a report of a failure or a complaint is one, whatever was added to
    its header.
    """
    declared = mail.header.parameter("content-type", "report-type").lower()
    kind = mail.header.first("content-type").strip().lower()
    is_report = kind.startswith("multipart/report") and declared in _FAILURES
    if not is_report and any(name in mail.header.fields for name in _LIST_FIELDS):
        return Verdict(Kind.UNKNOWN, form=Form.LIST_MAIL)
    if declared in _REPORTS or any(mail.of_type("message/disposition-notification")):
        return Verdict(Kind.UNKNOWN, form=Form.RECEIPT)
    return None
