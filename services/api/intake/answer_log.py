"""Logs the answers to requests over the queue."""

import structlog

from services.api.core.problems import Problem
from services.api.intake.messages import FIELDS
from services.api.intake.queue_answer import QueueAnswer

_log = structlog.get_logger("ledgerpost.relay")


def log_answer(answer: QueueAnswer) -> None:
    """Log whether a request was accepted or refused, and what of it is invalid."""
    _log.info(
        "queue_request_accepted" if answer.problem is None else "queue_request_refused",
        business_id=answer.business_id,
        send_id=answer.send_id and str(answer.send_id),
        batch_id=answer.batch_id and str(answer.batch_id),
        status=answer.problem and answer.problem.status,
        fields=answer.problem and _known(answer.problem),
        buried=answer.problem and answer.is_buried,
        trace_id=answer.trace.trace_id,
    )


def _known(problem: Problem) -> list[str]:
    """Return the known names of invalid fields, because a caller may invent any others."""
    named = (each.field.partition(".")[0] for each in problem.errors)
    return sorted({name if name in FIELDS else "unknown" for name in named})
