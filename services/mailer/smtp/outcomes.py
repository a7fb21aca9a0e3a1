"""The outcomes of handing one mail to the smarthost.

`reply` is always the smarthost's own words on one line, or None where it said nothing; `code` is
the code of the reason.
"""

from dataclasses import dataclass, field
from enum import Enum

from shared.amqp.breaker import Fault, Pauses
from shared.deliveries.reasons import ReasonCode


class Blame(Enum):
    """What a permanent refusal is about."""

    MAIL = "the mail"
    SMARTHOST = "the smarthost"
    UNCLEAR = "either"


@dataclass(frozen=True, slots=True)
class Sent:
    """The smarthost answered 2xx to the end of the message: it has the mail."""

    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not accepted, and worth another attempt later."""

    reason: str
    reply: str | None = None
    code: ReasonCode = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Failed:
    """Not accepted for good; `suppress` if the address itself can never receive.

    Unless `blame` is the mail, the mail may not be at fault: trial.py decides.
    """

    reason: str
    reply: str | None = None
    suppress: bool = False
    blame: Blame = Blame.MAIL
    code: ReasonCode = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class InDoubt:
    """The final dot was written and nothing that decides came back."""

    reason: str
    reply: str | None = None
    code: ReasonCode = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class GateLost:
    """The claim is no longer ours: no dot was written, and nothing is to be changed."""


@dataclass(frozen=True, slots=True)
class NotHandedOver:
    """The gate may have been committed, but no dot was written: the attempt may be handed back."""

    reason: str
    reply: str | None = None
    code: ReasonCode = field(kw_only=True)


Outcome = Sent | Deferred | Failed | InDoubt | GateLost | NotHandedOver


class SmarthostAtFault(Fault, ConnectionError):
    """The smarthost is at fault and not the mail: no attempt counts. The text has no secret."""

    code = ReasonCode.SMARTHOST_REFUSED

    def __init__(self, reason: str, code: ReasonCode | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        if code is not None:
            self.code = code


class PasswordRefused(SmarthostAtFault):
    """The smarthost refused the user and password: each further try may lock the account."""

    pauses = Pauses(first=30, longest=1800)
    code = ReasonCode.SMARTHOST_LOGIN_REFUSED


class RefusesAll(SmarthostAtFault):
    """The smarthost takes mail from nobody, or not from us, until it has taken one."""

    pauses = Pauses(first=5, longest=600, trial=True)


class TooManySessions(SmarthostAtFault):
    """The smarthost takes no further connection beside those that are open."""

    code = ReasonCode.SMARTHOST_BUSY
