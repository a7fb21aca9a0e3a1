"""Accepts what an event requests, a send or a batch, with the answer for subscribers."""

from datetime import UTC, datetime
from typing import Any

from services.api.batches import accept as batches
from services.api.batches.model import Batch
from services.api.batches.request import BatchRequest
from services.api.core.refusals import Conflict, InFlight
from services.api.idempotency.store import IdempotencyKey, StoredAnswer, fingerprint, once
from services.api.intake import store
from services.api.intake.messages import BatchAccepted, BatchRequested, SendAccepted, SendRequested
from services.api.intake.queue_answer import QueueAnswer, event_id
from services.api.sends import accept as sends
from services.api.sends.request import SendRequest
from services.api.sends.send import Send
from services.api.sends.terms import Terms
from shared.db.postgres import Connection
from shared.trace import Trace


class EventReused(Conflict):
    """A different request had the same `source` and `id`, which must identify one request."""

    def __init__(self) -> None:
        super().__init__("An event with this source and id was a request with different content.")


async def accept(
    conn: Connection,
    business_id: int,
    event: SendRequested | BatchRequested,
    terms: Terms,
    trace: Trace,
) -> QueueAnswer:
    """Store what the event requests and the answer, or return the answer to an earlier copy.

    Raises the Refusal with which the POST would be answered, EventReused if an event with the same
    names requested something else, and InFlight if a copy is being handled.
    """
    asked = event.data.request()
    id_ = event_id("accepted", business_id, event.source, event.id)
    key = None if event.idempotencykey is None else IdempotencyKey(event.idempotencykey)
    async with conn.transaction():
        earlier = await store.earlier(conn, id_)
        if earlier is not None:
            if earlier.fingerprint != asked.fingerprint:
                raise EventReused
            return QueueAnswer(id_, earlier.event, trace, business_id)
        made = await _made(conn, business_id, asked, terms, key, trace)
        answer = _answer(id_, event, made, business_id, trace)
        if not await store.add(conn, answer, asked.fingerprint):
            # A relay of an earlier version, which waits for no copy, carried one out meanwhile.
            raise InFlight
    return answer


async def _made(
    conn: Connection,
    business_id: int,
    asked: SendRequest | BatchRequest,
    terms: Terms,
    key: IdempotencyKey | None,
    trace: Trace,
) -> Send | Batch:
    if isinstance(asked, SendRequest):
        return (await sends.accept(conn, business_id, asked, terms, key, trace)).send

    # Over HTTP the caller would be told to repeat the request; a message is not repeated.
    await batches.wait_for_turn(conn, business_id)

    async def act(conn: Connection) -> StoredAnswer:
        batch = await batches.accept(conn, business_id, asked, terms, trace)
        return StoredAnswer(202, batch.to_json())

    # The digest under which the POST stores the answer to its key.
    digest = fingerprint("batch", asked.fingerprint.hex())
    stored = await once(conn, business_id, key, digest, act)
    return Batch.model_validate_json(stored.answer)


def _answer(
    id_: str,
    event: SendRequested | BatchRequested,
    made: Send | Batch,
    business_id: int,
    trace: Trace,
) -> QueueAnswer:
    about: dict[str, Any] = {
        "id": id_,
        "subject": str(made.id),
        "time": datetime.now(UTC),
        "traceparent": str(trace),
        "requestid": event.id,
        "requestsource": event.source,
    }
    if isinstance(made, Send):
        text = SendAccepted(data=made, **about).model_dump_json(by_alias=True)
        return QueueAnswer(id_, text, trace, business_id, send_id=made.id)
    text = BatchAccepted(data=made, **about).model_dump_json(by_alias=True)
    return QueueAnswer(id_, text, trace, business_id, batch_id=made.id)
