"""The headers of answers; a header that some answers gain has to be added here alone."""

from typing import Any

# On every answer; on those to a request with a key; and on answers of one status.
EVERYWHERE = ("X-Request-Id", "Cache-Control")
WITH_KEY = (
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
    "RateLimit",
)
OF_STATUS: dict[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    405: ("Allow",),
    409: ("Retry-After",),
    415: ("Accept", "Accept-Encoding"),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def _header(description: str, example: Any, **schema: Any) -> dict[str, Any]:
    return {
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _header(
        "The request's id, the caller's own where it was 1 to 128 visible ASCII characters;"
        " log lines and problems carry it too.",
        "019ab3a0-4b5e-4d3c-9d68-6a1f0e5d2c11",
    ),
    "Cache-Control": _header("`no-store`, but where an entity tag is given.", "no-store"),
    "ETag": _header(
        "The state of the ledger that the answer shows, and its coding. Give it back in"
        " `If-None-Match`, and as long as nothing has changed the answer is 304.",
        '"5f0c6f1f9c0d4a39b1f6d2e6a3c4b5d7"',
    ),
    "Vary": _header(
        "What a cache has to compare of the request.", "Authorization, Accept-Encoding"
    ),
    "Content-Encoding": _header(
        "There where the caller's Accept-Encoding prefers gzip.", "gzip", const="gzip"
    ),
    "RateLimit-Limit": _header(
        "How many requests the key may make in a minute.", 6000, type="integer", minimum=1
    ),
    "RateLimit-Remaining": _header("How many of them are left.", 5999, type="integer", minimum=0),
    "RateLimit-Reset": _header(
        "In how many seconds a new minute begins.", 42, type="integer", minimum=0
    ),
    "RateLimit-Policy": _header(
        "The limit as draft-ietf-httpapi-ratelimit-headers-11 writes it.", '"key";q=6000;w=60'
    ),
    "RateLimit": _header("What is left, likewise.", '"key";r=5999;t=42'),
    "Location": _header(
        "The send that was made.", "/api/v3/sends/019ab3a0-4b5e-7d3c-9d68-6a1f0e5d2c11"
    ),
    "Idempotency-Replayed": _header(
        "There where this is the answer to an earlier request of the same Idempotency-Key.",
        "true",
        const="true",
    ),
    "Retry-After": _header(
        "After how many seconds it is worth asking again.", 5, type="integer", minimum=1
    ),
    "WWW-Authenticate": _header(
        "What is missing (RFC 6750): `error` is `invalid_token` or `insufficient_scope`, and"
        " `scope` the one that is needed.",
        'Bearer realm="ledgerpost", error="invalid_token"',
    ),
    "Allow": _header("The methods that this path knows.", "GET, HEAD, OPTIONS"),
    "Accept": _header(
        "What a body may be.",
        "application/json, application/x-www-form-urlencoded, multipart/form-data",
    ),
    "Accept-Encoding": _header("How a body may be encoded.", "deflate, identity"),
}


def of(*names: str) -> dict[str, dict[str, str]]:
    """Return references to the headers of these names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
