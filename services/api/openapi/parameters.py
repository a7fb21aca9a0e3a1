"""What a request of several features says beside its body."""

from services.api.core.paging import LIMIT_DEFAULT, LIMIT_MAX
from services.api.openapi.operation import Parameter

ID = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1}
UUID = {"type": "string", "format": "uuid"}
DATE = {"type": "string", "format": "date"}
MOMENT = {"anyOf": [DATE, {"type": "string", "format": "date-time"}]}

CUSTOMER = Parameter(
    "customer",
    "path",
    "id",
    "The customer's id, in decimal digits.",
    ID,
    example=4,
    is_required=True,
)
LIMIT = Parameter(
    "limit",
    "query",
    "limit",
    "The largest number of items on the page.",
    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    example=LIMIT_DEFAULT,
    is_checked=True,
)
IDEMPOTENCY_KEY = Parameter(
    "idempotency_key",
    "header",
    "Idempotency-Key",
    "A name that the caller chooses for this request, for example `statement-4-2024-11`, "
    "unique within the business. A repetition within 24 hours gets the first answer, with "
    "`Idempotency-Replayed: true`, and changes nothing. A request with the same key and other"
    " content is a 409, and so is a repetition while the first request is still running.",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]{1,255}$"},
    is_checked=True,
)
IF_NONE_MATCH = Parameter(
    "if_none_match",
    "header",
    "If-None-Match",
    "The `ETag` values of answers that the caller has stored; if one is still current, the "
    "answer is 304.",
    {"type": "string"},
)
LEDGER_VERSION = Parameter(
    "ledger_version",
    "header",
    "Ledger-Version",
    "The `Ledger-Version` of an earlier answer: the new one shows nothing older. Without it an "
    "answer may be some moments old, if reports are read from a replica. It is a position in the "
    "log of Postgres: a program that has written the ledger by SQL gets one by "
    "`SELECT pg_current_wal_insert_lsn()`.",
    {"type": "string", "pattern": "^[0-9A-F]{1,8}/[0-9A-F]{1,8}$", "examples": ["0/17D3A40"]},
    is_checked=True,
)
# Those that may come with any request.
EVERYWHERE = (
    Parameter(
        "request_id",
        "header",
        "X-Request-Id",
        "An id that the caller chooses for the request, for example `order-4711`: 1 to 128 "
        "visible ASCII characters; anything else is replaced by a new id.",
        {"type": "string"},
    ),
    Parameter(
        "traceparent",
        "header",
        "traceparent",
        "The caller's trace (W3C Trace Context), for example "
        "`00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. The logs show it, and the "
        "messages and events of a send carry it on. If it is malformed, a new trace begins.",
        {"type": "string"},
    ),
)


def path_id(component: str, description: str, example: str) -> Parameter:
    """Return the parameter that names one thing by its id, a UUID, in the path."""
    return Parameter(component, "path", "id", description, UUID, example=example, is_required=True)


def cursor(component: str, form: str) -> Parameter:
    """Return the parameter that asks for a further page of a list whose cursors have this form."""
    return Parameter(
        component,
        "query",
        "cursor",
        "The `next_cursor` of the page before this one.",
        {"type": "string", "pattern": form},
        is_checked=True,
    )


def of(*parameters: Parameter) -> list[dict[str, str]]:
    """Return references to these parameters."""
    return [{"$ref": f"#/components/parameters/{each.component}"} for each in parameters]
