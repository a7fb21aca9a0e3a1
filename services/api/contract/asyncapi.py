"""The AsyncAPI document, assembled from the models, the topology and their descriptions."""

from importlib.metadata import version
from typing import Any

import orjson
from pydantic import BaseModel

from services.api.contract.channels import PARAMETERS, channels
from services.api.contract.message_descriptions import messages
from services.api.contract.message_schemas import components
from services.api.intake.messages import BatchRequested, SendRequested
from shared.messages import CONTENT_TYPE

_DESCRIPTION = """\
The messages that Ledgerpost publishes and consumes over RabbitMQ: CloudEvents 1.0 in structured
mode, one JSON object per message. Unknown attributes are ignored. Every message may arrive more
than once: copies have the same `source` and `id`. Subscribers bind their own queues to the exchange
`ledgerpost.events`.

A type ends in its version; within a version only optional fields are added.
"""


def as_json() -> bytes:
    """Return the document as it is committed."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:ledgerpost",
        "info": {
            "title": "Ledgerpost",
            "version": version("ledgerpost"),
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
            "contact": {"name": "Whoever runs Ledgerpost for you"},
            "tags": [{"name": "sends", "description": "Statements by e-mail."}],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {
                "host": "{host}:5672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ 3.10 or newer; `amqps` if it offers TLS.",
                "variables": {"host": {"default": "rabbitmq"}},
                "security": [{"$ref": "#/components/securitySchemes/broker"}],
            }
        },
        "channels": channels(),
        "operations": _operations(),
        "components": {
            "schemas": components(),
            "messages": messages(),
            "parameters": PARAMETERS,
            "securitySchemes": {
                "broker": {"type": "userPassword", "description": "A user of the vhost."}
            },
        },
    }


def _operations() -> dict[str, Any]:
    return {
        "receiveSendRequest": _request(SendRequested, "Stores a send, as the POST does."),
        "receiveBatchRequest": _request(BatchRequested, "Stores a batch, as the POST does."),
        "sendAnswer": _operation("send", "answers", "Publishes an answer to all subscribers."),
        "sendBatchAnswer": _operation(
            "send", "batchAnswers", "Publishes an answer to all subscribers."
        ),
        "sendDeliveryEvent": _operation("send", "deliveries", "Publishes a delivery's new state."),
        "sendBatchEvent": _operation("send", "batches", "Publishes a batch's new status."),
        "sendScheduleEvent": _operation("send", "schedules", "Publishes a change of a schedule."),
        "sendWakeup": _operation("send", "wakeups", "Wakes up a mailer."),
        "receiveWakeup": _operation("receive", "wakeups", "Hands the due mail to the smarthost."),
    }


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    binding = {"ack": True} if action == "receive" else {"deliveryMode": 2}
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "bindings": {"amqp": {**binding, "bindingVersion": "0.3.0"}},
    }


def _request(model: type[BaseModel], summary: str) -> dict[str, Any]:
    message = {"$ref": f"#/channels/sendRequests/messages/{model.__name__}"}
    return {
        **_operation("receive", "sendRequests", summary),
        "messages": [message],
        "reply": {
            "address": {
                "location": "$message.header#/reply_to",
                "description": "A queue of the sender, reached over the default exchange.",
            },
            "channel": {"$ref": "#/channels/replies"},
        },
    }
