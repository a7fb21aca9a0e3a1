"""What returned mails mean for the deliveries that they are about."""

from collections.abc import Mapping
from uuid import UUID

from shared.deliveries.reasons import ReasonCode
from shared.deliveries.returns import Change, Changed
from shared.returns.verdict import Kind, Scope, Verdict

_REASON_CHARS_MAX = 300
_BOUNCED = {
    Scope.RECIPIENT: ReasonCode.BOUNCED_RECIPIENT,
    Scope.POLICY: ReasonCode.BOUNCED_POLICY,
    Scope.INFRASTRUCTURE: ReasonCode.BOUNCED_INFRASTRUCTURE,
    Scope.CONTENT: ReasonCode.BOUNCED_CONTENT,
}


def asked(delivery_id: UUID, verdict: Verdict, *, is_signed: bool) -> Change | None:
    """Return what a verdict means for the delivery that it is about; None: nothing.

    `is_signed` is whether the address proves that it is about it: otherwise nobody is suppressed.
    """
    if verdict.kind is Kind.COMPLAINT:
        suppress = ReasonCode.SUPPRESSED_COMPLAINED if is_signed else None
        return Change(delivery_id, "complained", _reason(verdict), ReasonCode.COMPLAINED, suppress)
    if verdict.kind is Kind.BOUNCE and verdict.scope in _BOUNCED:
        gone = verdict.scope is Scope.RECIPIENT and verdict.is_permanent and is_signed
        suppress = ReasonCode.SUPPRESSED_BOUNCED if gone else None
        code = _BOUNCED[verdict.scope]
        return Change(delivery_id, "bounced", _reason(verdict), code, suppress)
    return None


def done(change: Change, changed: Mapping[UUID, Changed]) -> list[str]:
    """Return what has changed, in the words of the column `effect`."""
    # A delivery that is gone has changed nothing.
    found = changed.get(change.delivery_id, Changed(is_moved=False, is_suppressed=False))
    return [change.state] * found.is_moved + ["suppressed"] * found.is_suppressed


def _reason(verdict: Verdict) -> str:
    if verdict.kind is Kind.COMPLAINT:
        return "the recipient reported the mail as unwanted"
    words = verdict.diagnostic or verdict.status or "a mail server returned it"
    return f"returned: {words}"[:_REASON_CHARS_MAX]
