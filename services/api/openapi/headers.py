"""The headers of answers that calls of several features have."""

from services.api.openapi.operation import Header

ETAG = Header(
    "ETag",
    "Identifies the state of the ledger that the answer shows, and the coding of the answer. "
    "Sent back in `If-None-Match`, it gets a 304 as long as nothing has changed.",
    '"5f0c6f1f9c0d4a39b1f6d2e6a3c4b5d7"',
)
LEDGER_VERSION = Header(
    "Ledger-Version",
    "If reports are read from a replica: how new the answer is. Sent back in the header of this "
    "name, no older data is answered.",
    "0/3A1F2B8",
)
VARY = Header(
    "Vary",
    "The request headers that a cache has to compare.",
    "Accept, Accept-Encoding, Authorization, Cookie",
)
LINK = Header(
    "Link",
    "On a page: the paths of the pages `first`, `prev`, `next` and `last`, as far as there are any"
    " (RFC 8288).",
    '</api/v3/reports/customers/2024-11-01/2024-11-30?per_page=50>; rel="first"',
)
FILE = Header(
    "Content-Disposition",
    "The name of the file, except of JSON of a report.",
    'attachment; filename="income-by-customer_Trading_2024-11-01_2024-11-30.csv"',
)
LOCATION = Header(
    "Location",
    "The path of what the request made.",
    "/api/v3/sends/019ab3a0-4b5e-7d3c-9d68-6a1f0e5d2c11",
)
IDEMPOTENCY_REPLAYED = Header(
    "Idempotency-Replayed",
    "Present if this is the stored answer to an earlier request with the same Idempotency-Key.",
    "true",
    {"type": "string", "const": "true"},
)

_WWW_AUTHENTICATE = Header(
    "WWW-Authenticate",
    "What is missing (RFC 6750): `error` is `invalid_token` or `insufficient_scope`, and "
    "`scope` is the scope that the call needs.",
    'Bearer realm="ledgerpost", error="invalid_token"',
)
_ALLOW = Header("Allow", "The methods that this path supports.", "GET, HEAD, OPTIONS")
_RETRY_AFTER = Header(
    "Retry-After",
    "The number of seconds after which the caller may retry.",
    5,
    {"type": "integer", "minimum": 1},
)
_ACCEPT = Header(
    "Accept",
    "The media types that a body may have.",
    "application/json, application/x-www-form-urlencoded, multipart/form-data",
)
_ACCEPT_ENCODING = Header(
    "Accept-Encoding", "The encodings that a body may have.", "deflate, identity"
)

# On every answer.
EVERYWHERE = (
    Header(
        "X-Request-Id",
        "The id of the request, also in log lines and problems: the id that the caller gave, if "
        "it was 1 to 128 visible ASCII characters, otherwise a new one.",
        "019ab3a0-4b5e-4d3c-9d68-6a1f0e5d2c11",
    ),
    Header("Cache-Control", "`no-store`, except on answers with an `ETag`.", "no-store"),
)
# On answers to a request with a key.
WITH_KEY = (
    Header(
        "RateLimit-Limit",
        "The number of requests that the key may make per minute.",
        6000,
        {"type": "integer", "minimum": 1},
    ),
    Header(
        "RateLimit-Remaining",
        "The number of requests left in this minute.",
        5999,
        {"type": "integer", "minimum": 0},
    ),
    Header(
        "RateLimit-Reset",
        "The number of seconds until the next minute begins.",
        42,
        {"type": "integer", "minimum": 0},
    ),
    Header(
        "RateLimit-Policy",
        "The limit, in the form of draft-ietf-httpapi-ratelimit-headers-11.",
        '"key";q=6000;w=60',
    ),
    Header(
        "RateLimit",
        "The requests (`r`) and seconds (`t`) left, in the form of draft-ietf-httpapi-ratelimit-"
        "headers-11.",
        '"key";r=5999;t=42',
    ),
)
# On answers of one status.
OF_STATUS: dict[int, tuple[Header, ...]] = {
    401: (_WWW_AUTHENTICATE,),
    403: (_WWW_AUTHENTICATE,),
    405: (_ALLOW,),
    409: (_RETRY_AFTER,),
    415: (_ACCEPT, _ACCEPT_ENCODING),
    429: (_RETRY_AFTER,),
    503: (_RETRY_AFTER,),
}


def of(*headers: Header) -> dict[str, dict[str, str]]:
    """Return references to these headers."""
    return {each.name: {"$ref": f"#/components/headers/{each.name}"} for each in headers}
