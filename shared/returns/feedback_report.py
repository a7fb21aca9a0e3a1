"""Feedback reports of mail providers (RFC 5965): a recipient marked the mail as unwanted."""

import re

from shared.returns.parts import Returned
from shared.returns.verdict import Form, Kind, Verdict

_TYPE = re.compile(r"^Feedback-Type[ \t]*:[ \t]*([\w-]{1,40})", re.MULTILINE | re.IGNORECASE)
# Reports that are no complaint about the mail: it was no spam, or they are about authentication.
_NO_COMPLAINTS = frozenset({"not-spam", "auth-failure", "dmarc", "dkim", "spf"})
_OUTLOOK_SUBJECT = "complaint about message from "


def verdict(mail: Returned) -> Verdict | None:
    """Return what a feedback report says, or None if the mail is none.

    A type that is not known is a complaint, and so is a report without a type, as some providers
    write it. Outlook's (JMRP) has no feedback part at all: it is known by a field of the mail that
    it encloses.
    """
    reports = list(mail.of_type("message/feedback-report"))
    if not reports and not _is_titled(mail) and not _is_of_outlook(mail):
        return None
    text = reports[0].text if reports else ""
    found = _TYPE.search(text)
    kind = found[1].lower() if found else "abuse"
    found_kind = Kind.UNKNOWN if kind in _NO_COMPLAINTS else Kind.COMPLAINT
    return Verdict(found_kind, form=Form.FEEDBACK_REPORT)


def _is_titled(mail: Returned) -> bool:
    declared = mail.header.parameter("content-type", "report-type").lower()
    return declared == "feedback-report"


def _is_of_outlook(mail: Returned) -> bool:
    is_titled = mail.header.first("subject").strip().lower().startswith(_OUTLOOK_SUBJECT)
    enclosed = mail.of_type("message/rfc822")
    return is_titled and any("x-hmxmroriginalrecipient" in part.header.fields for part in enclosed)
