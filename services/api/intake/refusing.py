"""Refuses a request over the queue, with the answer for subscribers."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from services.api.access import store as access
from services.api.core.problems import Problem
from services.api.core.refusals import Malformed, RateLimited, Refusal
from services.api.intake import store
from services.api.intake.messages import BatchRefused, SendRefused
from services.api.intake.queue_answer import QueueAnswer, event_id
from services.api.intake.reading import Named
from shared.db.postgres import Connection
from shared.trace import Trace

# For each business, and for all requests without a valid key together: further refusals are only
# sent to `reply_to` and logged, because answers and dead letters are kept for long.
_REFUSED_A_DAY = 1000
# These refusals go only to `reply_to`: subscribers could not tell which request is meant, or
# would get them without end.
_UNTOLD = (Malformed, RateLimited)


async def refuse(
    conn: Connection,
    business_id: int | None,
    body: bytes,
    named: Named,
    refusal: Refusal,
    trace: Trace,
) -> QueueAnswer:
    """Return the answer to a refused request, stored for subscribers if they may hear of it.

    `business_id` is None if the request has no valid key.
    """
    problem = Problem.of(refusal)
    id_ = event_id("refused", business_id, hashlib.sha256(body).hexdigest(), problem.detail)
    model = BatchRefused if named.is_batch else SendRefused
    text = model(
        id=id_,
        time=datetime.now(UTC),
        traceparent=str(trace),
        requestid=named.id,
        requestsource=named.source,
        data=problem,
    ).model_dump_json(by_alias=True)
    answer = QueueAnswer(id_, text, trace, business_id, problem=problem)
    if not await access.count_today(conn, business_id, "refused requests", _REFUSED_A_DAY):
        return answer
    if business_id is not None and not isinstance(refusal, _UNTOLD):
        await store.add(conn, answer)
    return replace(answer, is_buried=True)
