"""What kind of cause a reason code names: few enough to count by, and to act on."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.deliveries.reasons import ReasonCode


class ReasonClass(StrEnum):
    """Who or what a mail's state is due to."""

    NONE = "none"  # no reason was given: nothing is wrong
    RECIPIENT = "recipient"
    POLICY = "policy"
    CONTENT = "content"
    SMARTHOST = "smarthost"
    LIMIT = "limit"
    SYSTEM = "system"
    REQUEST = "request"
    UNKNOWN = "unknown"


_C = ReasonCode
_CODES: Final[Mapping[ReasonClass, tuple[ReasonCode, ...]]] = {
    ReasonClass.RECIPIENT: (
        _C.ATTEMPTS_EXHAUSTED,
        _C.BOUNCED_RECIPIENT,
        _C.MAILBOX_FULL,
        _C.MAILBOX_UNAVAILABLE,
        _C.RECIPIENT_MALFORMED,
        _C.RECIPIENT_REFUSED,
        _C.RECIPIENT_UNKNOWN,
        _C.RECIPIENT_UNREACHABLE,
        _C.SMTPUTF8_UNSUPPORTED,
    ),
    ReasonClass.POLICY: (
        _C.BOUNCED_POLICY,
        _C.COMPLAINED,
        _C.POLICY_REFUSED,
        _C.SENDER_REFUSED,
    ),
    ReasonClass.CONTENT: (
        _C.BOUNCED_CONTENT,
        _C.MAIL_NOT_MAKEABLE,
        _C.MESSAGE_REFUSED,
        _C.MESSAGE_TOO_LARGE,
        _C.PDF_LETTERS_MISSING,
        _C.PDF_MISSING,
        _C.PDF_TEXT_REPLACED,
        _C.STATEMENT_EMPTY,
        _C.STATEMENT_TOO_LONG,
    ),
    ReasonClass.SMARTHOST: (
        _C.BOUNCED_INFRASTRUCTURE,
        _C.CONNECTION_LOST,
        _C.REPLY_MISSING,
        _C.REPLY_UNCLEAR,
        _C.SMARTHOST_BUSY,
        _C.SMARTHOST_LOGIN_REFUSED,
        _C.SMARTHOST_ON_TRIAL,
        _C.SMARTHOST_PROTOCOL_ERROR,
        _C.SMARTHOST_REFUSED,
        _C.SMARTHOST_TIMEOUT,
        _C.SMARTHOST_TLS_FAILED,
        _C.SMARTHOST_UNREACHABLE,
    ),
    ReasonClass.LIMIT: (
        _C.OVER_QUOTA,
        _C.RATE_LIMITED,
        _C.SENDING_LIMIT,
        _C.TOO_MANY_RECIPIENTS,
    ),
    ReasonClass.SYSTEM: (
        _C.BATCH_NOT_MADE,
        _C.DATABASE_RESTORED,
        _C.EXPIRED,
        _C.GATE_NOT_PASSED,
        _C.MAIL_NOT_MADE_YET,
        _C.NOT_EXPANDED,
        _C.OCCURRENCE_LATE,
        _C.STATEMENT_NOT_FROZEN,
        _C.TIMEZONE_UNKNOWN,
        _C.WORKER_CRASHED,
        _C.WORKER_LOST,
        _C.WORKER_LOST_AFTER_DOT,
        _C.WORKER_STOPPED,
    ),
    ReasonClass.REQUEST: (
        _C.AUDIENCE_CHANGED,
        _C.BALANCE_TOO_SMALL,
        _C.CANCELLED,
        _C.CUSTOMER_DELETED,
        _C.NO_ADDRESS,
        _C.NO_COPY_ADDRESS,
        _C.PAUSED,
        _C.PERIOD_UNKNOWN,
        _C.RESOLVED_AS_FAILED,
        _C.RESOLVED_AS_SENT,
        _C.RESOLVED_TO_RESEND,
        _C.SUPPRESSED_BOUNCED,
        _C.SUPPRESSED_BY_BUSINESS,
        _C.SUPPRESSED_COMPLAINED,
        _C.SUPPRESSED_RECIPIENT_UNKNOWN,
        _C.SUPPRESSED_UNSUBSCRIBED,
    ),
    ReasonClass.UNKNOWN: (_C.UNCLASSIFIED,),
}
#: The class of every code.
CLASSES: Final[Mapping[str, ReasonClass]] = {
    code: class_ for class_, codes in _CODES.items() for code in codes
}


def class_of(code: str | None) -> ReasonClass:
    """Return the class of a code; UNKNOWN for one of a later version."""
    return ReasonClass.NONE if code is None else CLASSES.get(code, ReasonClass.UNKNOWN)
