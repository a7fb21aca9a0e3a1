"""Why a returned mail was understood as it was, in words."""

from services.api.returns.model import Effect, ExplainedReturn, Form, Kind, Return, Scope

_ABOUT: dict[Scope, str] = {
    "recipient": "about the recipient",
    "policy": "about the sender or the text, not about the recipient",
    "infrastructure": "about servers or the network, not about the recipient",
    "content": "about this mail, not about the recipient",
    "transient": "about attempts that go on",
}
_FORMS: dict[Form, str] = {
    "delivery-status": "A delivery status notification (RFC 3464)",
    "feedback-report": "A feedback report (RFC 5965)",
    "ses-notification": "A notification of Amazon SES",
    "notice": "A mail server's notice in its own words",
    "automatic-reply": "Its header or subject",
    "list-mail": "A list's mail, by List-Id, List-Unsubscribe or List-Post in its header,",
    "receipt": "A receipt (RFC 8098) or a report on something else",
}
_NO_BOUNCE: dict[Kind, str] = {
    "complaint": "says that the recipient took the mail for unwanted.",
    "auto-reply": "says that a program answered for the recipient (RFC 3834).",
    "unknown": "says nothing about a failure, a delay or a complaint.",
}
_CHANGED: dict[Effect, str] = {
    "bounced": "the delivery is bounced",
    "complained": "the delivery is complained",
    "suppressed": "its address is suppressed",
}


def explained(shown: Return) -> ExplainedReturn:
    """Return a returned mail with why it was understood as it was."""
    return ExplainedReturn(**shown.model_dump(), why=why(shown))


def why(shown: Return) -> str:
    """Return why a returned mail is of its kind and scope, and why it changed what it did."""
    return f"{_kind(shown)} {_effect(shown)}"


def _kind(shown: Return) -> str:
    if shown.form is None and shown.kind == "unknown":
        return "No rule fits: it is no report of a failure, no complaint and no automatic reply."
    form = _FORMS[shown.form] if shown.form else "The mail"
    if shown.kind in _NO_BOUNCE:
        return f"{form} {_NO_BOUNCE[shown.kind]}"
    said = "goes on trying" if shown.kind == "delay" else "gave up"
    evidence = f"status {shown.status}" if shown.status else "its words, without a status"
    scope = _ABOUT[shown.scope] if shown.scope else "about nothing known"
    lasts = ", and will fail again" if shown.permanent else ""
    return f"{form} says that a server {said}: {evidence}, which is {scope}{lasts}."


def _effect(shown: Return) -> str:
    if shown.effect:
        return f"It changed: {', '.join(_CHANGED[each] for each in shown.effect)}."
    if shown.delivery_id is None:
        return "It changed nothing: it matches no delivery."
    if shown.kind in ("bounce", "complaint"):
        return "It changed nothing: the mail was not handed over, or an earlier return did it."
    return "It changed nothing: mails of this kind never do."
