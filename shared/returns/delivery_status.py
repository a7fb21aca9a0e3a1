"""Delivery status notifications (RFC 3464, and RFC 6533 for addresses that are not ASCII)."""

import re
from collections.abc import Iterator
from typing import Final

from shared.returns import causes, sender
from shared.returns.parts import Returned
from shared.returns.verdict import Form, Kind, Scope, Verdict
from shared.text import printable_line

_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:[ \t]*(.*)")
_GROUPS_MAX = 200
_NAME_CHARS_MAX = 255

_Group = dict[str, str]


def verdict(mail: Returned, recipient: str | None = None) -> Verdict | None:
    """Return what a notification says about `recipient`, or None if the mail is none.

    Without a recipient, or if none of the groups is about it, the first failure counts, then the
    first delay.
    """
    groups = list(_groups(mail)) if _is_of_a_server(mail) else []
    if not groups:
        return None
    about = [group for group in groups if recipient and _address(group) == recipient.lower()]
    for action in ("failed", "delayed"):
        for group in about or groups:
            if group.get("action", "").split(" ")[0].lower() == action:
                return _failed(group, mail) if action == "failed" else _delayed(group)
    # Some servers leave Action out.
    for group in about or groups:
        if "action" not in group and (status := causes.status_in(group.get("status", ""))):
            return _failed(group, mail) if status[0] == "5" else _delayed(group)
    return Verdict(Kind.UNKNOWN, form=Form.DELIVERY_STATUS)


def _is_of_a_server(mail: Returned) -> bool:
    """Return whether the mail is a report itself: a person may have passed one on."""
    return (
        mail.header.first("content-type").strip().lower().startswith("multipart/report")
        or sender.is_server(mail.header)
        or sender.has_empty_path(mail.header)
    )


def _groups(mail: Returned) -> Iterator[_Group]:
    """Yield the groups of fields that are about one recipient each."""
    texts = [part.text for part in mail.of_type(*_TYPES)]
    # Some servers write the fields into a text.
    texts = texts or [part.text for part in mail.of_type("text/plain") if _has_fields(part.text)]
    for text in texts:
        for block in re.split(r"\n[ \t]*\n", re.sub(r"\n[ \t]+", " ", text), maxsplit=_GROUPS_MAX):
            group: _Group = {}
            for line in block.split("\n"):
                if match := _FIELD.fullmatch(line.strip()):
                    group.setdefault(match[1].lower(), match[2].strip())
            if "final-recipient" in group or "original-recipient" in group or "action" in group:
                yield group


def _has_fields(text: str) -> bool:
    return bool(
        re.search(r"^Final-Recipient[ \t]*:", text, re.MULTILINE | re.IGNORECASE)
        and re.search(r"^Action[ \t]*:", text, re.MULTILINE | re.IGNORECASE)
    )


def _address(group: _Group) -> str:
    """Return the address of a group in lower case; its type is written in any case."""
    written = group.get("original-recipient") or group.get("final-recipient", "")
    return written.rpartition(";")[2].strip().strip("<>").lower()


def _failed(group: _Group, mail: Returned) -> Verdict:
    diagnostic = _diagnostic(group)
    status = _status(group, diagnostic)
    words = diagnostic or "\n".join(part.text[:4000] for part in mail.of_type("text/plain"))
    cause = causes.cause_of(status, words)
    return Verdict(
        Kind.BOUNCE,
        cause.scope,
        is_permanent=cause.is_permanent,
        status=status,
        diagnostic=diagnostic,
        remote_mta=_remote(group),
        form=Form.DELIVERY_STATUS,
    )


def _delayed(group: _Group) -> Verdict:
    diagnostic = _diagnostic(group)
    return Verdict(
        Kind.DELAY,
        Scope.TRANSIENT,
        status=_status(group, diagnostic),
        diagnostic=diagnostic,
        remote_mta=_remote(group),
        form=Form.DELIVERY_STATUS,
    )


def _status(group: _Group, diagnostic: str | None) -> str | None:
    """Return the status of a group; the server's own is more exact than one that ends in zeros."""
    stated = causes.status_in(group.get("status", ""))
    said = causes.status_in(diagnostic or "")
    is_vague = stated is None or stated.endswith(".0")
    return said if said is not None and is_vague and (stated or said)[0] == said[0] else stated


def _diagnostic(group: _Group) -> str | None:
    written = group.get("diagnostic-code", "")
    kind, semicolon, words = written.partition(";")
    text = words if semicolon and re.fullmatch(r"[\w-]{1,20}", kind.strip()) else written
    return causes.diagnostic_of(text)


def _remote(group: _Group) -> str | None:
    written = group.get("remote-mta", "")
    name = written.rpartition(";")[2].strip().strip(".").split(" ")[0].lower()
    return printable_line(name, _NAME_CHARS_MAX) or None
