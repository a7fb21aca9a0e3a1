"""Notifications of Amazon SES, in JSON, as its topics send them by mail."""

import json
from typing import Any, Final

from shared.returns import causes
from shared.returns.parts import Returned
from shared.returns.verdict import Form, Kind, Scope, Verdict

_MARK: Final = "x-amz-sns-message-id"


def verdict(mail: Returned, recipient: str | None = None) -> Verdict | None:
    """Return what a notification says about `recipient`, or None if the mail is none.

    Without a recipient, or if it names another one only, the first one counts.
    """
    if _MARK not in mail.header.fields:
        return None
    said = next(filter(None, map(_object, (part.text for part in mail.of_type("text/plain")))), {})
    kind = said.get("notificationType") or said.get("eventType")
    match kind:
        case "Bounce":
            return _bounce(_inner(said, "bounce"), recipient)
        case "Complaint":
            is_none = _inner(said, "complaint").get("complaintFeedbackType") == "not-spam"
            found = Kind.UNKNOWN if is_none else Kind.COMPLAINT
            return Verdict(found, form=Form.SES_NOTIFICATION)
        case "DeliveryDelay":
            return Verdict(Kind.DELAY, Scope.TRANSIENT, form=Form.SES_NOTIFICATION)
        case str():
            return Verdict(Kind.UNKNOWN, form=Form.SES_NOTIFICATION)
    return None


def _bounce(bounce: dict[str, Any], recipient: str | None) -> Verdict:
    listed = bounce.get("bouncedRecipients")
    groups = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    wanted = (recipient or "").lower()
    about = [each for each in groups if _text(each, "emailAddress").lower() == wanted]
    group = next(iter(about or groups), {})
    diagnostic = causes.diagnostic_of(_text(group, "diagnosticCode").removeprefix("smtp;"))
    status = causes.status_in(_text(group, "status"))
    cause = causes.cause_of(status, diagnostic or "")
    is_lasting = _text(bounce, "bounceType") == "Permanent"
    return Verdict(
        Kind.BOUNCE,
        cause.scope,
        is_permanent=cause.is_permanent and is_lasting,
        status=status,
        diagnostic=diagnostic,
        form=Form.SES_NOTIFICATION,
    )


def _object(text: str) -> dict[str, Any] | None:
    """Return the JSON object with which a text begins, or None."""
    try:
        found, _ = json.JSONDecoder().raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _inner(said: dict[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    return found if isinstance(found, dict) else {}


def _text(said: dict[str, Any], name: str) -> str:
    found = said.get(name)
    return found if isinstance(found, str) else ""
