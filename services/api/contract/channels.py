"""The channels of the AsyncAPI document: queues, and routing keys of the topic exchange."""

from typing import Any

from pydantic import BaseModel

from services.api.batches.messages import BatchEvent
from services.api.batches.model import Phase
from services.api.intake.messages import (
    BatchAccepted,
    BatchRefused,
    BatchRequested,
    SendAccepted,
    SendRefused,
    SendRequested,
)
from services.api.schedules.messages import Change, ScheduleEvent
from shared.amqp import topology
from shared.deliveries.states import SHOWN
from shared.messages import DeliveryEvent, SendTransactions

# Of the addresses.
PARAMETERS: dict[str, Any] = {
    "business": {"description": "The id of the business that the event is about."},
    "state": {
        "description": "The delivery's new state.",
        "enum": [state.value for state in SHOWN],
    },
    "status": {
        "description": "The batch's new status.",
        "enum": [phase.value for phase in Phase],
    },
    "change": {
        "description": "What happened to the schedule.",
        "enum": [change.value for change in Change],
    },
    "outcome": {"description": "The answer.", "enum": ["accepted", "refused"]},
}


def channels() -> dict[str, Any]:
    """Return every channel by its name."""
    intake, wakeups = topology.SEND_REQUESTS, topology.DELIVERIES
    return {
        "sendRequests": _channel(
            intake,
            topology.INTAKE,
            "direct",
            "Requests for a send or a batch.",
            SendRequested,
            BatchRequested,
        ),
        "answers": _channel(
            "send-request.{outcome}.{business}",
            topology.EVENTS,
            "topic",
            "Answers to requests for a send.",
            SendAccepted,
            SendRefused,
        ),
        "batchAnswers": _channel(
            "batch-request.{outcome}.{business}",
            topology.EVENTS,
            "topic",
            "Answers to requests for a batch.",
            BatchAccepted,
            BatchRefused,
        ),
        "replies": {
            "address": None,
            "description": "The queue that a request names in `reply_to`. It gets the same answer,"
            " if it still exists.",
            "messages": _references(SendAccepted, SendRefused, BatchAccepted, BatchRefused),
        },
        "deliveries": _channel(
            "delivery.{state}.{business}",
            topology.EVENTS,
            "topic",
            "The changes of state of each recipient's mail, in order (`sequence`).",
            DeliveryEvent,
        ),
        "batches": _channel(
            "batch.{status}.{business}",
            topology.EVENTS,
            "topic",
            "The changes of the status of each batch, in order (`sequence`).",
            BatchEvent,
        ),
        "schedules": _channel(
            "schedule.{change}.{business}",
            topology.EVENTS,
            "topic",
            "What happened to each schedule, in order (`sequence`).",
            ScheduleEvent,
        ),
        "wakeups": _channel(
            wakeups,
            wakeups,
            "direct",
            "Internal: wake-ups from the relay to the mailer, one for each due delivery.",
            SendTransactions,
        ),
    }


def _channel(
    address: str, exchange: str, kind: str, description: str, *models: type[BaseModel]
) -> dict[str, Any]:
    parts = [part[1:-1] for part in address.split(".") if part.startswith("{")]
    described: dict[str, Any] = {
        "address": address,
        "description": description,
        "messages": _references(*models),
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": exchange, "type": kind, "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }
    if parts:
        described["parameters"] = {
            part: {"$ref": f"#/components/parameters/{part}"} for part in parts
        }
    return described


def _references(*models: type[BaseModel]) -> dict[str, Any]:
    return {each.__name__: {"$ref": f"#/components/messages/{each.__name__}"} for each in models}
