"""The answer to a request over the queue, whether it is accepted or refused."""

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from services.api.core.problems import Problem
from shared.trace import Trace


@dataclass(frozen=True)
class QueueAnswer:
    """The answer to a request: its event, and the problem if it is refused.

    `send_id` or `batch_id` is what was made of the request, unless an earlier copy made it.
    `is_buried` is whether a refused request goes to the dead letters.
    """

    event_id: str
    event: str
    trace: Trace
    business_id: int | None
    send_id: UUID | None = None
    batch_id: UUID | None = None
    problem: Problem | None = None
    is_buried: bool = False


def event_id(*parts: object) -> str:
    """Return an event id that depends only on `parts`: a repeated answer has the same id."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
