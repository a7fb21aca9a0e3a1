"""The code of every reason that an answer or an event gives: the one place that lists them.

A code never changes its meaning and is never taken out; the sentence beside it may change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from shared.deliveries.states import State


class ReasonCode(StrEnum):
    """Why a mail is in its state, a recipient is skipped, or an address is suppressed."""

    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    CANCELLED = "cancelled"
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
    NO_COPY_ADDRESS = "no_copy_address"
    PAUSED = "paused"
    PDF_LETTERS_MISSING = "pdf_letters_missing"
    PDF_MISSING = "pdf_missing"
    PDF_TEXT_REPLACED = "pdf_text_replaced"
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
    STATEMENT_NOT_FROZEN = "statement_not_frozen"
    STATEMENT_TOO_LONG = "statement_too_long"
    SUPPRESSED_BY_BUSINESS = "suppressed_by_business"
    SUPPRESSED_RECIPIENT_UNKNOWN = "suppressed_recipient_unknown"
    SUPPRESSED_UNSUBSCRIBED = "suppressed_unsubscribed"
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


@dataclass(frozen=True, slots=True)
class Reason:
    """What a code means, the states of a mail that have it, and what else does."""

    meaning: str
    states: tuple[State, ...] = ()
    elsewhere: tuple[str, ...] = ()


_LATER = (State.DEFERRED,)
_NEVER = (State.FAILED,)
_EITHER = (State.DEFERRED, State.FAILED)
_DOUBT = (State.IN_DOUBT,)
_SENT = (State.SENT,)
_SUPPRESSION = ("skipped recipients", "suppressions")

REASONS: Final[Mapping[ReasonCode, Reason]] = {
    ReasonCode.ATTEMPTS_EXHAUSTED: Reason("`expires_at` passed after at least one attempt", _NEVER),
    ReasonCode.CANCELLED: Reason("cancelled on request", (State.CANCELLED,)),
    ReasonCode.CONNECTION_LOST: Reason("the smarthost ended the connection early", _LATER),
    ReasonCode.CUSTOMER_DELETED: Reason("the customer is not in the ledger any more", _NEVER),
    ReasonCode.DATABASE_RESTORED: Reason(
        "the database was restored: whether the mail went out after the backup is not known", _DOUBT
    ),
    ReasonCode.EXPIRED: Reason("`expires_at` passed before the first attempt", (State.EXPIRED,)),
    ReasonCode.GATE_NOT_PASSED: Reason(
        "no final dot was written: the commit before it failed or was too late", _LATER
    ),
    ReasonCode.MAIL_NOT_MADE_YET: Reason("the mail could not be made at the moment", _LATER),
    ReasonCode.MAIL_NOT_MAKEABLE: Reason("no mail can be made of this statement", _NEVER),
    ReasonCode.MAILBOX_FULL: Reason("the mailbox is full (X.2.2)", _EITHER),
    ReasonCode.MAILBOX_UNAVAILABLE: Reason("the mailbox takes no mail (X.2.z)", _EITHER),
    ReasonCode.MESSAGE_REFUSED: Reason("the message itself was refused (X.6.z)", _EITHER),
    ReasonCode.MESSAGE_TOO_LARGE: Reason("the message is too large (X.2.3, X.3.4)", _EITHER),
    ReasonCode.NO_COPY_ADDRESS: Reason(
        "a copy was asked for, and the business has no e-mail address", (), ("skipped recipients",)
    ),
    ReasonCode.PAUSED: Reason("an operator has paused the mails of the business", _LATER),
    ReasonCode.PDF_LETTERS_MISSING: Reason("no font has some letters of the PDF", _SENT),
    ReasonCode.PDF_MISSING: Reason("the mail was sent without its PDF", _SENT),
    ReasonCode.PDF_TEXT_REPLACED: Reason(
        "a text of the PDF could not be printed and was replaced", _SENT
    ),
    ReasonCode.POLICY_REFUSED: Reason("refused by a policy: spam, reputation (X.7.z)", _EITHER),
    ReasonCode.RATE_LIMITED: Reason("it waits for `SMARTHOST_RATE` or `DOMAIN_RATE`", _LATER),
    ReasonCode.RECIPIENT_MALFORMED: Reason(
        "the stored address is malformed", _NEVER, ("skipped recipients",)
    ),
    ReasonCode.RECIPIENT_REFUSED: Reason(
        "the recipient was refused without a further status", _EITHER
    ),
    ReasonCode.RECIPIENT_UNKNOWN: Reason("there is no such address (X.1.z)", _EITHER),
    ReasonCode.RECIPIENT_UNREACHABLE: Reason(
        "the recipient's mail server cannot be reached (X.4.z)", _EITHER
    ),
    ReasonCode.REPLY_MISSING: Reason("no reply came to the final dot", _DOUBT),
    ReasonCode.REPLY_UNCLEAR: Reason(
        "the reply to the final dot is neither acceptance nor refusal", _DOUBT
    ),
    ReasonCode.RESOLVED_AS_FAILED: Reason("in doubt, and resolved by a person: not sent", _NEVER),
    ReasonCode.RESOLVED_AS_SENT: Reason("in doubt, and resolved by a person: sent", _SENT),
    ReasonCode.RESOLVED_TO_RESEND: Reason(
        "in doubt, and to be sent again: by a person, or by `IN_DOUBT_POLICY`", _LATER
    ),
    ReasonCode.SENDER_REFUSED: Reason(
        "the sender's address was refused (X.1.7, X.1.8, X.2.252)", _EITHER
    ),
    ReasonCode.SENDING_LIMIT: Reason(
        "the smarthost's limit on sent mails is reached (X.4.5)", _EITHER
    ),
    ReasonCode.SMARTHOST_BUSY: Reason("the smarthost has a fault or is busy (X.3.z, 421)", _EITHER),
    ReasonCode.SMARTHOST_LOGIN_REFUSED: Reason("the login to the smarthost failed", _LATER),
    ReasonCode.SMARTHOST_ON_TRIAL: Reason(
        "the smarthost refused every mail, and another mail is tried first", _LATER
    ),
    ReasonCode.SMARTHOST_PROTOCOL_ERROR: Reason(
        "the smarthost's reply does not fit the SMTP conversation", _LATER
    ),
    ReasonCode.SMARTHOST_REFUSED: Reason(
        "the smarthost accepts no mail from Ledgerpost (X.5.z)", _EITHER
    ),
    ReasonCode.SMARTHOST_TIMEOUT: Reason("the smarthost did not answer in time", _LATER),
    ReasonCode.SMARTHOST_TLS_FAILED: Reason(
        "no encrypted session with the smarthost could be made", _LATER
    ),
    ReasonCode.SMARTHOST_UNREACHABLE: Reason(
        "no connection to the smarthost could be made", _LATER
    ),
    ReasonCode.SMTPUTF8_UNSUPPORTED: Reason(
        "the address is not ASCII, and the smarthost accepts no such address (X.6.7)", _EITHER
    ),
    ReasonCode.STATEMENT_NOT_FROZEN: Reason("the statement could not be read", _EITHER),
    ReasonCode.STATEMENT_TOO_LONG: Reason("the statement has too many lines", _NEVER),
    ReasonCode.SUPPRESSED_BY_BUSINESS: Reason(
        "the business suppressed the address", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.SUPPRESSED_RECIPIENT_UNKNOWN: Reason(
        "a mail server said that there is no such address", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.SUPPRESSED_UNSUBSCRIBED: Reason(
        "the recipient unsubscribed", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.UNCLASSIFIED: Reason(
        "written by an earlier version, with a sentence that has no code",
        tuple(state for state in State if state is not State.COMMITTING),
        _SUPPRESSION,
    ),
    ReasonCode.WORKER_CRASHED: Reason("six claims ended without an outcome", _NEVER),
    ReasonCode.WORKER_LOST: Reason("the worker that had it vanished", _LATER),
    ReasonCode.WORKER_LOST_AFTER_DOT: Reason(
        "the worker vanished after the gate, and no reply was recorded", _DOUBT
    ),
    ReasonCode.WORKER_STOPPED: Reason("the worker that had it was stopped", _LATER),
}
