"""The code of every reason that an answer or an event gives; reason_meanings.py explains them.

A code never changes its meaning and is never taken out; the sentence beside it may change.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field


class ReasonCode(StrEnum):
    """Why a mail is in its state, a recipient is skipped, or an address is suppressed."""

    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    AUDIENCE_CHANGED = "audience_changed"
    BALANCE_TOO_SMALL = "balance_too_small"
    BATCH_NOT_MADE = "batch_not_made"
    BOUNCED_CONTENT = "bounced_content"
    BOUNCED_INFRASTRUCTURE = "bounced_infrastructure"
    BOUNCED_POLICY = "bounced_policy"
    BOUNCED_RECIPIENT = "bounced_recipient"
    CANCELLED = "cancelled"
    COMPLAINED = "complained"
    CONNECTION_LOST = "connection_lost"
    CUSTOMER_DELETED = "customer_deleted"
    DATABASE_RESTORED = "database_restored"
    EXPIRED = "expired"
    GATE_NOT_PASSED = "gate_not_passed"
    MAIL_NOT_MADE_YET = "mail_not_made_yet"
    MAIL_NOT_MAKEABLE = "mail_not_makeable"
    MAILBOX_FULL = "mailbox_full"
    MAILBOX_UNAVAILABLE = "mailbox_unavailable"
    MESSAGE_REFUSED = "message_refused"
    MESSAGE_TOO_LARGE = "message_too_large"
    NO_ADDRESS = "no_address"
    NO_COPY_ADDRESS = "no_copy_address"
    NOT_EXPANDED = "not_expanded"
    OCCURRENCE_LATE = "occurrence_late"
    OVER_QUOTA = "over_quota"
    PAUSED = "paused"
    PDF_LETTERS_MISSING = "pdf_letters_missing"
    PDF_MISSING = "pdf_missing"
    PDF_TEXT_REPLACED = "pdf_text_replaced"
    PERIOD_UNKNOWN = "period_unknown"
    POLICY_REFUSED = "policy_refused"
    RATE_LIMITED = "rate_limited"
    RECIPIENT_MALFORMED = "recipient_malformed"
    RECIPIENT_REFUSED = "recipient_refused"
    RECIPIENT_UNKNOWN = "recipient_unknown"
    RECIPIENT_UNREACHABLE = "recipient_unreachable"
    REPLY_MISSING = "reply_missing"
    REPLY_UNCLEAR = "reply_unclear"
    RESOLVED_AS_FAILED = "resolved_as_failed"
    RESOLVED_AS_SENT = "resolved_as_sent"
    RESOLVED_TO_RESEND = "resolved_to_resend"
    SENDER_REFUSED = "sender_refused"
    SENDING_LIMIT = "sending_limit"
    SMARTHOST_BUSY = "smarthost_busy"
    SMARTHOST_LOGIN_REFUSED = "smarthost_login_refused"
    SMARTHOST_ON_TRIAL = "smarthost_on_trial"
    SMARTHOST_PROTOCOL_ERROR = "smarthost_protocol_error"
    SMARTHOST_REFUSED = "smarthost_refused"
    SMARTHOST_TIMEOUT = "smarthost_timeout"
    SMARTHOST_TLS_FAILED = "smarthost_tls_failed"
    SMARTHOST_UNREACHABLE = "smarthost_unreachable"
    SMTPUTF8_UNSUPPORTED = "smtputf8_unsupported"
    STATEMENT_EMPTY = "statement_empty"
    STATEMENT_NOT_FROZEN = "statement_not_frozen"
    STATEMENT_TOO_LONG = "statement_too_long"
    SUPPRESSED_BOUNCED = "suppressed_bounced"
    SUPPRESSED_BY_BUSINESS = "suppressed_by_business"
    SUPPRESSED_COMPLAINED = "suppressed_complained"
    SUPPRESSED_RECIPIENT_UNKNOWN = "suppressed_recipient_unknown"
    SUPPRESSED_UNSUBSCRIBED = "suppressed_unsubscribed"
    TIMEZONE_UNKNOWN = "timezone_unknown"
    TOO_MANY_RECIPIENTS = "too_many_recipients"
    UNCLASSIFIED = "unclassified"
    WORKER_CRASHED = "worker_crashed"
    WORKER_LOST = "worker_lost"
    WORKER_LOST_AFTER_DOT = "worker_lost_after_dot"
    WORKER_STOPPED = "worker_stopped"


#: As it is read: a process of a later version may have written a code that this one does not know.
Code = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9_]*$",
        examples=list(ReasonCode),
        description="The code of the reason, which stays the same whatever the sentence. Codes are"
        " added in later versions.",
    ),
]
