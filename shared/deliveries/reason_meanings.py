"""What each reason code means, and what has it: a mail in some states, or something else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State


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
_BOUNCED = (State.BOUNCED,)
_SENT = (State.SENT,)
_CUSTOMER = ("skipped customers of a batch",)
_SCHEDULE = ("schedules",)
_OCCURRENCE = ("missed occurrences",)
_SUPPRESSION = ("skipped recipients", *_CUSTOMER, "suppressions")

REASONS: Final[Mapping[ReasonCode, Reason]] = {
    ReasonCode.ATTEMPTS_EXHAUSTED: Reason("`expires_at` passed after at least one attempt", _NEVER),
    ReasonCode.AUDIENCE_CHANGED: Reason(
        "the recipients are not those of the frozen list any more", (), _CUSTOMER
    ),
    ReasonCode.BALANCE_TOO_SMALL: Reason(
        "the closing balance is below `min_balance`", (), _CUSTOMER
    ),
    ReasonCode.BATCH_NOT_MADE: Reason(
        "the batch of an occurrence could not be made, and is tried again", (), _SCHEDULE
    ),
    ReasonCode.BOUNCED_CONTENT: Reason(
        "it came back: the message itself was refused (X.6.z, X.2.3, X.3.4)", _BOUNCED
    ),
    ReasonCode.BOUNCED_INFRASTRUCTURE: Reason(
        "it came back: a server or the network failed (X.3.z, X.4.z, X.5.z)", _BOUNCED
    ),
    ReasonCode.BOUNCED_POLICY: Reason(
        "it came back: a policy refused it, because of the sender or the content (X.7.z)", _BOUNCED
    ),
    ReasonCode.BOUNCED_RECIPIENT: Reason(
        "it came back: the mailbox does not exist, or takes no mail (X.1.z, X.2.z)", _BOUNCED
    ),
    ReasonCode.CANCELLED: Reason("cancelled on request", (State.CANCELLED,)),
    ReasonCode.COMPLAINED: Reason("the recipient reported it as unwanted", (State.COMPLAINED,)),
    ReasonCode.CONNECTION_LOST: Reason("the smarthost ended the connection early", _LATER),
    ReasonCode.CUSTOMER_DELETED: Reason(
        "the customer is not in the ledger any more", _NEVER, _CUSTOMER
    ),
    ReasonCode.DATABASE_RESTORED: Reason(
        "the database was restored: whether the mail went out after the backup is not known",
        _DOUBT,
        ("batches", "schedules"),
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
    ReasonCode.NO_ADDRESS: Reason(
        "the customer has no e-mail address, or only malformed ones", (), _CUSTOMER
    ),
    ReasonCode.NO_COPY_ADDRESS: Reason(
        "a copy was asked for, and the business has no e-mail address", (), ("skipped recipients",)
    ),
    ReasonCode.NOT_EXPANDED: Reason(
        "its customers could not be made into sends; it is tried again for about three hours",
        (),
        ("batches",),
    ),
    ReasonCode.OCCURRENCE_LATE: Reason(
        "more than an hour late, and the schedule does not catch up", (), ("skipped occurrences",)
    ),
    ReasonCode.OVER_QUOTA: Reason(
        "it waits for a day on which `DAILY_QUOTA` has room; of a customer: there was none for"
        " addresses that were added after the batch was accepted",
        (),
        ("batches", *_CUSTOMER),
    ),
    ReasonCode.PAUSED: Reason("an operator has paused the mails of the business", _LATER),
    ReasonCode.PDF_LETTERS_MISSING: Reason("no font has some letters of the PDF", _SENT),
    ReasonCode.PDF_MISSING: Reason("the mail was sent without its PDF", _SENT),
    ReasonCode.PDF_TEXT_REPLACED: Reason(
        "a text of the PDF could not be printed and was replaced", _SENT
    ),
    ReasonCode.PERIOD_UNKNOWN: Reason(
        "the word for the period means no days at this date", (), _OCCURRENCE
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
    ReasonCode.STATEMENT_EMPTY: Reason(
        "the statement would show no transaction, no open item and no balance", (), _CUSTOMER
    ),
    ReasonCode.STATEMENT_NOT_FROZEN: Reason("the statement could not be read", _EITHER),
    ReasonCode.STATEMENT_TOO_LONG: Reason("the statement has too many lines", _NEVER),
    ReasonCode.SUPPRESSED_BOUNCED: Reason(
        "a mail came back: there is no such mailbox", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.SUPPRESSED_BY_BUSINESS: Reason(
        "the business suppressed the address", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.SUPPRESSED_COMPLAINED: Reason(
        "the recipient reported a mail as unwanted", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.SUPPRESSED_RECIPIENT_UNKNOWN: Reason(
        "a mail server said that there is no such address", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.SUPPRESSED_UNSUBSCRIBED: Reason(
        "the recipient unsubscribed", (State.SUPPRESSED,), _SUPPRESSION
    ),
    ReasonCode.TIMEZONE_UNKNOWN: Reason(
        "the timezone is not known any more, and is looked for again", (), _SCHEDULE
    ),
    ReasonCode.TOO_MANY_RECIPIENTS: Reason(
        "there are more recipients than `MAX_RECIPIENTS`", (), _CUSTOMER
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
