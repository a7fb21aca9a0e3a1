"""Answers messages that request sends and batches, with the checks of the POSTs."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.api.access.admission import Admission
from services.api.access.model import Key, Principal
from services.api.core.refusals import InFlight, Refusal
from services.api.intake import accepting, reading, refusing
from services.api.intake.queue_answer import QueueAnswer
from services.api.intake.reading import Named
from services.api.sends.terms import Terms
from shared.db.postgres import Connection
from shared.process import tracing
from shared.trace import Trace


@dataclass(frozen=True, repr=False)
class Asked:
    """A message that requests a send or a batch: its bytes and its headers."""

    body: bytes
    authorization: Sequence[str]
    traceparent: Sequence[str] = ()


async def answer(conn: Connection, asked: Asked, terms: Terms, admission: Admission) -> QueueAnswer:
    """Store what is requested and the answer for subscribers, both or neither.

    A copy of an event gets the first answer. Of a refused request only the answer is stored; not
    even that if the key is invalid, the request could not be read, or the rate limit is exceeded.
    Raises InFlight if another copy is being handled.
    """
    principal: Principal | None = None
    named = Named()
    trace = Trace.of(asked.traceparent)
    try:
        principal, rate = await admission.admit(conn, Key.bearer(asked.authorization))
        if rate is not None:
            rate.check()
        principal.need("transactions:send")
        given = reading.json_object(asked.body)
        named = Named.of(given)
        event = reading.event(given)
        traceparent = [event.traceparent] if event.traceparent else asked.traceparent
        with tracing.span("accept a request", "consumer", Trace.given(traceparent)) as span:
            trace = span.trace or Trace.of(traceparent)
            return await accepting.accept(conn, principal.business_id, event, terms, trace)
    except InFlight:
        raise
    except Refusal as refusal:
        business = None if principal is None else principal.business_id
        return await refusing.refuse(conn, business, asked.body, named, refusal, trace)
