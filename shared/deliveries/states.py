"""The states of a delivery and the transitions between them: the one place that lists them.

CHECK constraints, the published documents, docs/states.md and the tests are made from this, or are
compared with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The state of one recipient's mail; `committing` is internal and shown as `sending`."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    COMMITTING = "committing"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a state means.

    `is_open` if Ledgerpost still acts on the mail by itself. `was_taken` is whether the smarthost
    has accepted the mail, None if that is unknown.
    """

    text: str
    is_open: bool = False
    was_taken: bool | None = False


MEANINGS: Final[Mapping[State, Meaning]] = {
    State.SCHEDULED: Meaning("its due time has not come", is_open=True),
    State.QUEUED: Meaning("it is due and waits for a worker", is_open=True),
    State.SENDING: Meaning("a worker has it", is_open=True),
    State.COMMITTING: Meaning(
        "its last dot may be written; internal, shown as `sending`", is_open=True, was_taken=None
    ),
    State.DEFERRED: Meaning(
        "an attempt failed or was postponed, the next one is due at `next_attempt_at`", is_open=True
    ),
    State.SENT: Meaning("the mail server accepted it", was_taken=True),
    State.FAILED: Meaning("refused permanently, or all attempts failed"),
    State.IN_DOUBT: Meaning(
        "it is unknown whether it went out, and it is not sent again automatically", was_taken=None
    ),
    State.CANCELLED: Meaning("cancelled before it went out"),
    State.EXPIRED: Meaning("`expires_at` passed before the first attempt"),
    State.SUPPRESSED: Meaning("the business no longer mails this address"),
    State.BOUNCED: Meaning("accepted by the mail server, and returned later", was_taken=True),
    State.COMPLAINED: Meaning(
        "accepted, and reported as unwanted by its recipient", was_taken=True
    ),
}

OPEN: Final = tuple(state for state in State if MEANINGS[state].is_open)
#: The final states, and `in_doubt`, which a person ends.
SETTLED: Final = tuple(state for state in State if not MEANINGS[state].is_open)
ENDS: Final = tuple(state for state in SETTLED if state is not State.IN_DOUBT)
#: What answers and events show.
SHOWN: Final = tuple(state for state in State if state is not State.COMMITTING)


class Actor(StrEnum):
    """Who makes a transition; each has a module in this folder."""

    CALLER = "API"
    RELAY = "relay"
    WORKER = "mailer"
    OPERATOR = "operator"
    RETURNS = "returned mail"


@dataclass(frozen=True, slots=True)
class Transition:
    """What takes a mail from any of the states that it `leaves` to the one that it `enters`."""

    leaves: tuple[State, ...]
    enters: State
    by: Actor
    when: str


_WAITING = (State.SCHEDULED, State.DEFERRED)
_BEFORE_THE_GATE = (State.SCHEDULED, State.QUEUED, State.SENDING, State.DEFERRED)
_HANDED_OVER = (State.SENT, State.IN_DOUBT)

#: Nothing else changes a state; a send is accepted with its mails `scheduled`.
TRANSITIONS: Final = (
    Transition(_WAITING, State.QUEUED, Actor.RELAY, "it is due and not paused"),
    Transition(
        _WAITING, State.EXPIRED, Actor.RELAY, "it is due after `expires_at`, without an attempt"
    ),
    Transition(
        _WAITING,
        State.FAILED,
        Actor.RELAY,
        "it is due after `expires_at` with attempts, or no statement can be made",
    ),
    Transition(_WAITING, State.SUPPRESSED, Actor.RELAY, "its address is suppressed when it is due"),
    Transition(
        (State.SCHEDULED,), State.DEFERRED, Actor.RELAY, "its statement cannot be frozen now"
    ),
    Transition(
        (State.QUEUED,), State.EXPIRED, Actor.RELAY, "`expires_at` passed without an attempt"
    ),
    Transition((State.QUEUED,), State.FAILED, Actor.RELAY, "`expires_at` passed with attempts"),
    Transition((State.QUEUED,), State.SENDING, Actor.WORKER, "a worker claims it"),
    Transition(
        (State.QUEUED,),
        State.DEFERRED,
        Actor.WORKER,
        "it is paused, or the smarthost is unavailable: no attempt counts",
    ),
    Transition(
        (State.QUEUED,),
        State.EXPIRED,
        Actor.WORKER,
        "claimed after `expires_at` without an attempt",
    ),
    Transition(
        (State.QUEUED,), State.FAILED, Actor.WORKER, "claimed after `expires_at` with attempts"
    ),
    Transition(
        (State.SENDING,), State.COMMITTING, Actor.WORKER, "the dot gate: token and lease are valid"
    ),
    Transition(
        (State.SENDING,),
        State.DEFERRED,
        Actor.WORKER,
        "4xx, a lost connection, a rate, or the smarthost is at fault",
    ),
    Transition((State.SENDING,), State.FAILED, Actor.WORKER, "5xx, or the mail cannot be made"),
    Transition((State.SENDING,), State.DEFERRED, Actor.RELAY, "the lease expired"),
    Transition((State.SENDING,), State.FAILED, Actor.RELAY, "six claims ended without an outcome"),
    Transition(
        (State.SENDING,), State.SENT, Actor.WORKER, "2xx, after a fail-over that forgot the gate"
    ),
    Transition(
        (State.SENDING,),
        State.IN_DOUBT,
        Actor.WORKER,
        "no reply, after a fail-over that forgot the gate",
    ),
    Transition((State.COMMITTING,), State.SENT, Actor.WORKER, "2xx to the dot"),
    Transition(
        (State.COMMITTING,), State.DEFERRED, Actor.WORKER, "4xx to the dot, or no dot was written"
    ),
    Transition((State.COMMITTING,), State.FAILED, Actor.WORKER, "5xx to the dot"),
    Transition((State.COMMITTING,), State.IN_DOUBT, Actor.WORKER, "no reply to the dot"),
    Transition((State.COMMITTING,), State.IN_DOUBT, Actor.RELAY, "the lease expired"),
    Transition((State.IN_DOUBT,), State.SENT, Actor.WORKER, "a late reply to the same attempt"),
    Transition((State.IN_DOUBT,), State.FAILED, Actor.WORKER, "a late reply to the same attempt"),
    Transition((State.IN_DOUBT,), State.DEFERRED, Actor.WORKER, "a late reply to the same attempt"),
    Transition(
        (State.IN_DOUBT,),
        State.DEFERRED,
        Actor.RELAY,
        "`IN_DOUBT_POLICY=resend`, after the longest reply and a margin",
    ),
    Transition((State.IN_DOUBT,), State.SENT, Actor.OPERATOR, "resolved as sent"),
    Transition((State.IN_DOUBT,), State.FAILED, Actor.OPERATOR, "given up"),
    Transition((State.IN_DOUBT,), State.DEFERRED, Actor.OPERATOR, "to be sent again"),
    Transition(
        _BEFORE_THE_GATE, State.CANCELLED, Actor.CALLER, "its send or its batch is cancelled"
    ),
    Transition(_BEFORE_THE_GATE, State.CANCELLED, Actor.OPERATOR, "its recipient is erased"),
    Transition((State.QUEUED,), State.SCHEDULED, Actor.CALLER, "rescheduled, never tried"),
    Transition((State.QUEUED,), State.DEFERRED, Actor.CALLER, "rescheduled after attempts"),
    Transition(
        OPEN,
        State.IN_DOUBT,
        Actor.OPERATOR,
        "the database was restored (a `scheduled` mail only if it was due)",
    ),
    Transition(_HANDED_OVER, State.BOUNCED, Actor.RETURNS, "a bounce came back"),
    Transition(_HANDED_OVER, State.COMPLAINED, Actor.RETURNS, "its recipient complained"),
)
