"""The messages of the AsyncAPI document, each with its examples."""

from typing import Any

from pydantic import BaseModel

from services.api.batches.messages import BatchEvent
from services.api.contract import message_examples
from services.api.intake import examples
from services.api.intake.messages import (
    BatchAccepted,
    BatchRefused,
    BatchRequested,
    SendAccepted,
    SendRefused,
    SendRequested,
)
from services.api.schedules.messages import ScheduleEvent
from shared.messages import CONTENT_TYPE, DeliveryEvent, SendTransactions

_KEY_HEADER = {
    "type": "object",
    "required": ["authorization"],
    "properties": {
        "authorization": {
            "type": "string",
            "pattern": "^[Bb]earer +ledgerpost_[0-9A-Za-z]+$",
            "description": "An API key with the scope `transactions:send`; it determines the"
            " business.",
        },
        "traceparent": {"type": "string", "description": "W3C Trace Context, passed on."},
    },
}
_REQUESTS: set[type[BaseModel]] = {SendRequested, BatchRequested}
_ANSWERS: set[type[BaseModel]] = {SendAccepted, SendRefused, BatchAccepted, BatchRefused}
_CORRELATION = {"location": "$message.header#/correlation_id"}


def messages() -> dict[str, Any]:
    """Return every message by the name of its model."""
    titled: tuple[tuple[type[BaseModel], str, *tuple[dict[str, Any], ...]], ...] = (
        (SendRequested, "A system requests a send", examples.REQUEST),
        (SendAccepted, "A request is accepted as a send", examples.ACCEPTED),
        (SendRefused, "A request is refused", examples.REFUSED),
        (BatchRequested, "A system requests a batch", examples.BATCH_REQUEST),
        (BatchAccepted, "A request is accepted as a batch", examples.BATCH_ACCEPTED),
        (BatchRefused, "A request for a batch is refused", examples.BATCH_REFUSED),
        (
            DeliveryEvent,
            "A delivery changed its state",
            message_examples.SENT,
            message_examples.FAILED,
        ),
        (
            BatchEvent,
            "A batch changed its status",
            message_examples.BATCH_STARTED,
            message_examples.BATCH_DONE,
        ),
        (ScheduleEvent, "Something happened to a schedule", message_examples.SCHEDULE_SKIPPED),
        (SendTransactions, "A delivery is due", message_examples.WAKEUP),
    )
    found: dict[str, Any] = {}
    for model, title, *payloads in titled:
        name = model.__name__
        described: dict[str, Any] = {
            "name": name,
            "title": title,
            "contentType": CONTENT_TYPE,
            "payload": {"$ref": f"#/components/schemas/{name}"},
            "examples": [
                {"name": name if len(payloads) == 1 else payload["type"], "payload": payload}
                for payload in payloads
            ],
        }
        if model in _REQUESTS:
            described["headers"] = _KEY_HEADER
        if model in _REQUESTS | _ANSWERS:
            described["correlationId"] = _CORRELATION
        found[name] = described
    return found
