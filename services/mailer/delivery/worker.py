"""The worker: takes one delivery after another from its claim to its recorded outcome."""

import time
from datetime import timedelta
from typing import Protocol, assert_never
from uuid import UUID

import structlog

from services.mailer.delivery import retries
from services.mailer.delivery.claims import Claims
from services.mailer.delivery.composer import Composer
from services.mailer.delivery.pacing import Pacing
from services.mailer.smtp.outcomes import (
    Deferred,
    Failed,
    GateLost,
    InDoubt,
    NotHandedOver,
    Outcome,
    Sent,
    SmarthostAtFault,
)
from services.mailer.smtp.transaction import Gate
from services.mailer.smtp.trial import Addressed, Trial
from shared.amqp.breaker import Breaker
from shared.db import postgres
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State
from shared.deliveries.worker import Claim, Verdict
from shared.mail.address import Unsendable
from shared.mail.envelope import Envelope
from shared.process import tracing
from shared.rendering.pool import NoRenderProcess
from shared.rendering.queue import QueueFull
from shared.statements.decoding import StatementError
from shared.statements.flaws import Kind, TypesettingError

_log = structlog.get_logger("ledgerpost.mailer")
_HAND_BACK_DELAY = timedelta(seconds=5)
# A mail cannot be made at the moment, and is not at fault.
_LATER: tuple[type[Exception], ...] = (
    NoRenderProcess,
    QueueFull,
    *postgres.UNAVAILABLE,
    *postgres.CONFLICTS,
)

# The reason code of a sent mail, by the first flaw of its PDF.
_OF_FLAWS: dict[Kind, ReasonCode] = {
    "missing_letters": ReasonCode.PDF_LETTERS_MISSING,
    "replaced_text": ReasonCode.PDF_TEXT_REPLACED,
    "no_pdf": ReasonCode.PDF_MISSING,
}


class Observer(Protocol):
    """Counts the outcomes of attempts."""

    def delivered(self, verdict: Verdict, seconds: float) -> None:
        """Count one recorded attempt, and the seconds from its claim to its record."""


class HandOver(Protocol):
    """Hands one mail to the smarthost, with the gate before its final dot."""

    async def hand_over(self, envelope: Envelope, gate: Gate, business: int) -> Outcome:
        """Return the outcome. Raises SmarthostAtFault, and what the gate raises."""

    def blame(self, fault: SmarthostAtFault) -> None:
        """Let every mail that waits for a session raise a copy of `fault` instead."""


class Worker:
    """Takes deliveries from claim to verdict; each call handles one wake-up."""

    def __init__(
        self,
        claims: Claims,
        composer: Composer,
        pacing: Pacing,
        smarthost: HandOver,
        breaker: Breaker,
        retry_delay: timedelta,
        observer: Observer,
        trial: Trial | None = None,
    ) -> None:
        """Create it, with a trial of its own unless several workers share one."""
        self._claims = claims
        self._composer = composer
        self._pacing = pacing
        self._smarthost = smarthost
        self._breaker = breaker
        self._trial = trial or Trial(breaker)
        self._retry_delay = retry_delay
        self._observer = observer

    async def __call__(self, delivery_id: UUID) -> None:
        """Deliver one mail if it waits to be sent; afterwards its wake-up can be acknowledged.

        Raises one of postgres.UNAVAILABLE if nothing was claimed because Postgres is away, and one
        of postgres.CONFLICTS if nothing was claimed because transactions conflicted.
        """
        if self._breaker.reason is not None:
            fault = self._breaker.fault
            code = fault.code if isinstance(fault, SmarthostAtFault) else SmarthostAtFault.code
            await self._claims.postpone(delivery_id, _HAND_BACK_DELAY, self._breaker.reason, code)
            return
        begun = time.monotonic()
        claim = await self._claims.claim(delivery_id)
        if claim is None:
            return
        try:
            verdict = await self._attempt(claim)
        except Exception:  # noqa: BLE001 - one poisoned mail must not take the worker down
            # There is no outcome: the lease runs out, and the sweeper counts the claims.
            _log.exception("delivery_crashed", delivery_id=str(claim.id))
            self._claims.release(claim)
            return
        if verdict is None:
            self._claims.release(claim)
            return
        try:
            decided = await self._claims.record(verdict)
        finally:
            self._claims.release(claim)
        tracing.note(
            {
                "ledgerpost.send_id": str(claim.send_id),
                "ledgerpost.business_id": claim.business_id,
                "ledgerpost.state": verdict.state,
                "ledgerpost.reason_code": verdict.reason_code or "none",
            }
        )
        self._observer.delivered(verdict, time.monotonic() - begun)
        _log.info(
            "attempt_recorded" if decided else "attempt_too_late",
            delivery_id=str(claim.id),
            send_id=str(claim.send_id),
            state=verdict.state,
            reason=verdict.reason,
            reason_code=verdict.reason_code,
            reply=verdict.reply,
        )

    async def _attempt(self, claim: Claim) -> Verdict | None:
        later = await self._pacing.turn(claim.business_id, self._composer.recipient(claim))
        if later is not None:
            return Verdict(
                claim,
                State.DEFERRED,
                reason=later.reason,
                reason_code=ReasonCode.RATE_LIMITED,
                delay=later.delay,
                counts=False,
            )
        try:
            with tracing.span("compose"):
                envelope = await self._composer.envelope(claim)
        except Unsendable as error:
            return _not_makeable(claim, error, ReasonCode.RECIPIENT_MALFORMED)
        except (StatementError, TypesettingError) as error:
            return _not_makeable(claim, error, ReasonCode.MAIL_NOT_MAKEABLE)
        except _LATER as error:
            reason = f"the mail could not be made yet: {error!r}"
            return self._handed_back(claim, reason, ReasonCode.MAIL_NOT_MADE_YET)
        return await self._handed_over(claim, envelope)

    async def _handed_over(self, claim: Claim, envelope: Envelope) -> Verdict | None:
        try:
            with tracing.span("hand over by SMTP", "client"):
                outcome = await self._trial.of(
                    Addressed(envelope.recipient, claim.send_id, claim.business_id, claim.attempts),
                    lambda: self._smarthost.hand_over(
                        envelope, lambda: self._gate(claim), claim.business_id
                    ),
                )
        except SmarthostAtFault as fault:
            self._breaker.trip(fault)
            self._smarthost.blame(fault)
            return self._handed_back(claim, fault.reason, fault.code)
        except (*postgres.UNAVAILABLE, *postgres.CONFLICTS) as error:
            # Whether the gate committed is unknown, except after a conflict, when it did not; that
            # no dot was written is known.
            reason = f"the gate could not be committed: {error!r}"
            return self._handed_back(claim, reason, ReasonCode.GATE_NOT_PASSED)
        return self._verdict(claim, outcome, envelope)

    async def _gate(self, claim: Claim) -> bool:
        with tracing.span("gate"):
            return await self._claims.gate(claim)

    def _verdict(self, claim: Claim, outcome: Outcome, envelope: Envelope) -> Verdict | None:
        match outcome:
            case Sent(reply):
                flaws = "; ".join(flaw.text for flaw in envelope.flaws)
                code = _OF_FLAWS[envelope.flaws[0].kind] if envelope.flaws else None
                return Verdict(claim, State.SENT, reply, flaws or None, code)
            case Deferred(reason, reply, code=code):
                wait = retries.delay(self._retry_delay, claim.attempts + 1)
                return Verdict(claim, State.DEFERRED, reply, reason, code, wait)
            case Failed(reason, reply, suppress, code=code):
                return Verdict(
                    claim,
                    State.FAILED,
                    reply,
                    reason,
                    code,
                    suppress=suppress and not self._composer.redirects,
                )
            case InDoubt(reason, reply, code=code):
                return Verdict(claim, State.IN_DOUBT, reply, reason, code)
            case NotHandedOver(reason, reply, code=code):
                return self._handed_back(claim, reason, code, reply)
            case GateLost():
                return None
            case _:
                assert_never(outcome)

    def _handed_back(
        self, claim: Claim, reason: str, code: ReasonCode, reply: str | None = None
    ) -> Verdict:
        return Verdict(claim, State.DEFERRED, reply, reason, code, _HAND_BACK_DELAY, counts=False)


def _not_makeable(claim: Claim, error: Exception, code: ReasonCode) -> Verdict:
    reason = f"the mail cannot be made: {error}"
    return Verdict(claim, State.FAILED, reason=reason, reason_code=code)
