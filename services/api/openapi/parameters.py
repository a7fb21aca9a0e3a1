"""The parameters of requests; those in `EVERYWHERE` may come with any request."""

from typing import Any

from services.api.core.paging import LIMIT_DEFAULT, LIMIT_MAX, TEXT_CURSOR_FORM, UUID_CURSOR_FORM

EVERYWHERE = ("request_id", "traceparent")
# Invalid values of these are a 422. The others are only looked up, so an unknown one is a 404.
VALIDATED = {
    "from",
    "to",
    "from_query",
    "to_query",
    "customer_id",
    "status",
    "limit",
    "cursor",
    "suppression_cursor",
    "idempotency_key",
}

_ID = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1}
_UUID = {"type": "string", "format": "uuid"}
_DATE = {"type": "string", "format": "date"}
_SEND = "019ab3a0-4b5e-7d3c-9d68-6a1f0e5d2c11"


def _parameter(
    where: str, name: str, schema: dict[str, Any], example: Any, description: str
) -> dict[str, Any]:
    # Optional headers have no example: Swagger UI would fill it in and send it each time.
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": description,
        "schema": schema,
        **({} if example is None else {"example": example}),
    }


def _required(parameter: dict[str, Any]) -> dict[str, Any]:
    return {**parameter, "required": True}


PARAMETERS: dict[str, dict[str, Any]] = {
    "customer": _parameter("path", "id", _ID, 4, "The customer's id, in decimal digits."),
    "from": _parameter("path", "from", _DATE, "2024-11-01", "The period's first day, inclusive."),
    "to": _parameter(
        "path", "to", _DATE, "2024-11-30", "The period's last day, inclusive; not before `from`."
    ),
    "from_query": _required(
        _parameter("query", "from", _DATE, "2024-11-01", "The statement's first day, inclusive.")
    ),
    "to_query": _required(
        _parameter(
            "query",
            "to",
            _DATE,
            "2024-11-30",
            "The statement's last day, inclusive; not before `from`.",
        )
    ),
    "send": _parameter("path", "id", _UUID, _SEND, "The send's id."),
    "delivery": _parameter(
        "path",
        "id",
        _UUID,
        "019ab3a0-4b5e-7d3d-8a21-2f6b1c9e7a05",
        "The id of the recipient's delivery.",
    ),
    "email": _parameter(
        "path",
        "email",
        {"type": "string"},
        "accounts@client.example",
        "The address; its case does not matter, and its domain may be Unicode or ASCII.",
    ),
    "token": _parameter(
        "path", "token", {"type": "string"}, None, "The signed part of the link in a mail."
    ),
    "customer_id": _parameter("query", "customer_id", _ID, 4, "Only sends of this customer."),
    "status": _parameter(
        "query",
        "status",
        {"$ref": "#/components/schemas/Status"},
        "sent",
        "Only sends of this status.",
    ),
    "limit": _parameter(
        "query",
        "limit",
        {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
        LIMIT_DEFAULT,
        "The largest number of items on the page.",
    ),
    "cursor": _parameter(
        "query",
        "cursor",
        {"type": "string", "pattern": UUID_CURSOR_FORM},
        None,
        "The `next_cursor` of the page before this one.",
    ),
    "suppression_cursor": _parameter(
        "query",
        "cursor",
        {"type": "string", "pattern": TEXT_CURSOR_FORM},
        None,
        "The `next_cursor` of the page before this one.",
    ),
    "idempotency_key": _parameter(
        "header",
        "Idempotency-Key",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
        None,
        "A name that the caller chooses for this request, for example `statement-4-2024-11`,"
        " unique within the business. A repetition within 24 hours gets the first answer, with"
        " `Idempotency-Replayed: true`, and changes nothing. A request with the same key and other"
        " content is a 409, and so is a repetition while the first request is still running.",
    ),
    "if_none_match": _parameter(
        "header",
        "If-None-Match",
        {"type": "string"},
        None,
        "The `ETag` values of answers that the caller has stored; if one is still current, the"
        " answer is 304.",
    ),
    "request_id": _parameter(
        "header",
        "X-Request-Id",
        {"type": "string"},
        None,
        "An id that the caller chooses for the request, for example `order-4711`: 1 to 128"
        " visible ASCII characters; anything else is replaced by a new id.",
    ),
    "traceparent": _parameter(
        "header",
        "traceparent",
        {"type": "string"},
        None,
        "The caller's trace (W3C Trace Context), for example"
        " `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. The logs show it, and the"
        " messages and events of a send carry it on. If it is malformed, a new trace begins.",
    ),
}


def of(*names: str) -> list[dict[str, str]]:
    """Return references to the parameters of these names."""
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]
