"""Automatic replies (RFC 3834): out of office, "we have your message", and the like."""

import re

from shared.returns import sender
from shared.returns.causes import words
from shared.returns.parts import Header, Returned
from shared.returns.verdict import Form, Kind, Verdict

_SUBJECT = words(
    "automatic(?:ally generated)? reply",
    "auto(?:matic)?[- ]?(?:reply|response)",
    r"auto\s*:",
    "out of (?:the )?office",
    "vacation",
    "abwesen",
    "automatische antwort",
    "r\u00e9ponse automatique",
    "respuesta autom\u00e1tica",
    "resposta autom\u00e1tica",
    "fuera de",
    "ausente",
    "absence",
    "i am (?:away|out|on)",
)
_PREFIX = re.compile(r"(?:\s*(?:re|aw|sv|tr|fwd?)\s*:\s*)+", re.IGNORECASE)
_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-autoreply-from")


def verdict(mail: Returned) -> Verdict | None:
    """Return the verdict on an automatic reply, or None if the mail is none."""
    if not is_for_a_person(mail.header):
        return None
    return Verdict(Kind.AUTO_REPLY, form=Form.AUTOMATIC_REPLY)


def is_for_a_person(header: Header) -> bool:
    """Return whether the header says that a program answers for a person.

    Notices of mail servers call themselves automatic replies, too.
    """
    says_replied = header.first("auto-submitted").strip().lower().startswith("auto-replied")
    return (
        any(name in header.fields for name in _FIELDS)
        or header.first("precedence").strip().lower() == "auto_reply"
        or _SUBJECT.match(_PREFIX.sub("", header.first("subject"), count=1).strip()) is not None
        or (says_replied and not sender.is_server(header))
    )
