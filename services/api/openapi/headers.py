"""The headers of answers. A new header is added in this file only."""

from typing import Any

# On every answer; on answers to requests with a key; on answers of one status.
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
        "The id of the request, also in log lines and problems: the id that the caller gave, if it"
        " was 1 to 128 visible ASCII characters, otherwise a new one.",
        "019ab3a0-4b5e-4d3c-9d68-6a1f0e5d2c11",
    ),
    "Cache-Control": _header("`no-store`, except on answers with an `ETag`.", "no-store"),
    "ETag": _header(
        "Identifies the state of the ledger that the answer shows, and the coding of the answer."
        " Sent back in `If-None-Match`, it gets a 304 as long as nothing has changed.",
        '"5f0c6f1f9c0d4a39b1f6d2e6a3c4b5d7"',
    ),
    "Vary": _header(
        "The request headers that a cache has to compare.", "Authorization, Accept-Encoding"
    ),
    "Content-Encoding": _header(
        "Present if the answer is compressed, because Accept-Encoding prefers gzip.",
        "gzip",
        const="gzip",
    ),
    "RateLimit-Limit": _header(
        "The number of requests that the key may make per minute.", 6000, type="integer", minimum=1
    ),
    "RateLimit-Remaining": _header(
        "The number of requests left in this minute.", 5999, type="integer", minimum=0
    ),
    "RateLimit-Reset": _header(
        "The number of seconds until the next minute begins.", 42, type="integer", minimum=0
    ),
    "RateLimit-Policy": _header(
        "The limit, in the form of draft-ietf-httpapi-ratelimit-headers-11.", '"key";q=6000;w=60'
    ),
    "RateLimit": _header(
        "The requests (`r`) and seconds (`t`) left, in the form of"
        " draft-ietf-httpapi-ratelimit-headers-11.",
        '"key";r=5999;t=42',
    ),
    "Location": _header(
        "The path of the new send.", "/api/v3/sends/019ab3a0-4b5e-7d3c-9d68-6a1f0e5d2c11"
    ),
    "Idempotency-Replayed": _header(
        "Present if this is the stored answer to an earlier request with the same Idempotency-Key.",
        "true",
        const="true",
    ),
    "Retry-After": _header(
        "The number of seconds after which the caller may retry.", 5, type="integer", minimum=1
    ),
    "WWW-Authenticate": _header(
        "What is missing (RFC 6750): `error` is `invalid_token` or `insufficient_scope`, and"
        " `scope` is the scope that the call needs.",
        'Bearer realm="ledgerpost", error="invalid_token"',
    ),
    "Allow": _header("The methods that this path supports.", "GET, HEAD, OPTIONS"),
    "Accept": _header(
        "The media types that a body may have.",
        "application/json, application/x-www-form-urlencoded, multipart/form-data",
    ),
    "Accept-Encoding": _header("The encodings that a body may have.", "deflate, identity"),
}


def of(*names: str) -> dict[str, dict[str, str]]:
    """Return references to the headers of these names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
