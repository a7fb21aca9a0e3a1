"""The AsyncAPI document, assembled from the models, the topology and their descriptions."""

from importlib.metadata import version
from typing import Any

import orjson
from pydantic import BaseModel

from services.api.contract import message_examples
from services.api.contract.message_schemas import components
from services.api.intake import examples
from services.api.intake.messages import SendAccepted, SendRefused, SendRequested
from shared.amqp import topology
from shared.deliveries.states import SHOWN
from shared.messages import CONTENT_TYPE, DeliveryEvent, SendTransactions

_DESCRIPTION = """\
The messages that Ledgerpost publishes and consumes over RabbitMQ: CloudEvents 1.0 in structured
mode, one JSON object per message. Unknown attributes are ignored. Every message may arrive more
than once: copies have the same `source` and `id`. Subscribers bind their own queues to the exchange
`ledgerpost.events`.

A type ends in its version; within a version only optional fields are added.
"""

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
_CORRELATION = {"location": "$message.header#/correlation_id"}


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
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "schemas": components(),
            "messages": _messages(),
            "parameters": {
                "business": {"description": "The id of the business that the event is about."},
                "state": {
                    "description": "The delivery's new state.",
                    "enum": [state.value for state in SHOWN],
                },
                "outcome": {"description": "The answer.", "enum": ["accepted", "refused"]},
            },
            "securitySchemes": {
                "broker": {"type": "userPassword", "description": "A user of the vhost."}
            },
        },
    }


def _channels() -> dict[str, Any]:
    intake, wakeups = topology.SEND_REQUESTS, topology.DELIVERIES
    return {
        "sendRequests": _channel(
            intake, topology.INTAKE, "direct", "Requests for a send.", SendRequested
        ),
        "answers": _channel(
            "send-request.{outcome}.{business}",
            topology.EVENTS,
            "topic",
            "Answers to requests for a send.",
            SendAccepted,
            SendRefused,
        ),
        "replies": {
            "address": None,
            "description": "The queue that a request names in `reply_to`. It gets the same answer,"
            " if it still exists.",
            "messages": _references(SendAccepted, SendRefused),
        },
        "deliveries": _channel(
            "delivery.{state}.{business}",
            topology.EVENTS,
            "topic",
            "The changes of state of each recipient's mail, in order (`sequence`).",
            DeliveryEvent,
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


def _operations() -> dict[str, Any]:
    return {
        "receiveSendRequest": {
            **_operation("receive", "sendRequests", "Stores a send, as the POST does."),
            "reply": {
                "address": {
                    "location": "$message.header#/reply_to",
                    "description": "A queue of the sender, reached over the default exchange.",
                },
                "channel": {"$ref": "#/channels/replies"},
            },
        },
        "sendAnswer": _operation("send", "answers", "Publishes an answer to all subscribers."),
        "sendDeliveryEvent": _operation("send", "deliveries", "Publishes a delivery's new state."),
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


def _messages() -> dict[str, Any]:
    messages: tuple[tuple[type[BaseModel], str, *tuple[dict[str, Any], ...]], ...] = (
        (SendRequested, "A system requests a send", examples.REQUEST),
        (SendAccepted, "A request is accepted as a send", examples.ACCEPTED),
        (SendRefused, "A request is refused", examples.REFUSED),
        (
            DeliveryEvent,
            "A delivery changed its state",
            message_examples.SENT,
            message_examples.FAILED,
        ),
        (SendTransactions, "A delivery is due", message_examples.WAKEUP),
    )
    found: dict[str, Any] = {}
    for model, title, *payloads in messages:
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
        if model is SendRequested:
            described["headers"] = _KEY_HEADER
        if model in {SendRequested, SendAccepted, SendRefused}:
            described["correlationId"] = _CORRELATION
        found[name] = described
    return found
