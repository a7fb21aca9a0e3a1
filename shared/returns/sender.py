"""Who wrote a returned mail: a mail server, a program for a person, or a person."""

import re

from shared.returns.causes import words
from shared.returns.parts import Header

_SERVER = words(
    "mailer.?daemon",
    "post_?master",
    "mail delivery (?:sub)?system",
    "mail ?administrator",
    "^<>$",
    r"\bbounces?@",
    "mmdf",
    r"mail\.?system",
    "mail-?delivery",
    "e-?mail delivery",
    "returned mail",
    "mail server",
    r"\bndr\b",
)
_ANSWER = re.compile(r"\s*(?:re|aw|sv|antw|fwd?|wg|tr|rv|i)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)


def is_server(header: Header) -> bool:
    """Return whether the sender calls itself a mail server."""
    return _SERVER.search(header.first("from") or header.first("return-path")) is not None


def has_empty_path(header: Header) -> bool:
    """Return whether the return path is empty: nobody is to answer the mail."""
    return header.first("return-path").strip() == "<>"


def is_answer(header: Header) -> bool:
    """Return whether the subject says that the mail answers or forwards another one."""
    return _ANSWER.match(header.first("subject")) is not None
