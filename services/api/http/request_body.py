"""The fields of a request's body, which is JSON, a form or empty."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import hdrs, web
from aiohttp.http_exceptions import BadHttpMessage

from services.api.core.parsing import MAX_FIELDS, json_value, within_bounds
from services.api.core.refusals import Invalid, Malformed

BODY_BYTES_MAX = 1024 * 1024
_INDEX = re.compile(r"\[[0-9]*\]$")
_BODY_WAIT_S = 30.0  # seconds in which a body has to arrive completely
_MERGE_PATCH = "application/merge-patch+json"  # what a PATCH may call its JSON (RFC 7396)
_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
# aiohttp decodes these, never beyond the limit; it would not notice a gzip that ends early.
_ENCODINGS = ("deflate", "identity")
Content = TypeVar("Content")


async def fields(request: web.Request) -> dict[str, Any]:
    """Return the body's fields by name; an empty body has none.

    JSON values stay as they are. A form's value is a string, or a list of strings if the field
    repeats or its name ends in `[]` or `[0]` (which is cut off).
    """
    if not request.body_exists:
        return {}
    given = await _arrived(request, _read)
    within_bounds(given)
    return given


async def octets(request: web.Request, types: Collection[str], most: int = BODY_BYTES_MAX) -> bytes:
    """Return the body as it is, at most `most` octets; its Content-Type should be in `types`."""
    if request.content_type not in types:
        raise _unsupported(types)
    if most != BODY_BYTES_MAX:
        request = request.clone(client_max_size=most)
    return await _arrived(request, web.Request.read)


async def _arrived(
    request: web.Request, read: Callable[[web.Request], Awaitable[Content]]
) -> Content:
    """Return what `read` makes of the body, which should arrive whole and in time."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() not in _ENCODINGS:
        raise web.HTTPUnsupportedMediaType(
            text="The body should be encoded with deflate or not at all.",
            headers={hdrs.ACCEPT_ENCODING: ", ".join(_ENCODINGS)},
        )
    try:
        async with asyncio.timeout(_BODY_WAIT_S):
            return await read(request)
    except TimeoutError:
        raise web.HTTPRequestTimeout(
            text=f"The body did not arrive within {_BODY_WAIT_S:g} seconds."
        ) from None
    except web.RequestPayloadError:
        # Otherwise aiohttp reads on and logs the caller's error as one of the server.
        request.content.feed_eof()
        raise Malformed(
            "The body ends early, or is not encoded as Content-Encoding states."
        ) from None


async def _read(request: web.Request) -> dict[str, Any]:
    if request.content_type == "multipart/form-data":
        return await _multipart(request)
    raw = await request.read()
    if not raw:
        return {}
    if request.content_type in ("application/json", _MERGE_PATCH):
        return _json(raw)
    if request.content_type == "application/x-www-form-urlencoded":
        return _urlencoded(raw)
    raise _unsupported(_TYPES)


def _unsupported(types: Collection[str]) -> web.HTTPUnsupportedMediaType:
    return web.HTTPUnsupportedMediaType(
        text=f"The body should be {' or '.join(types)}.", headers={hdrs.ACCEPT: ", ".join(types)}
    )


def _json(raw: bytes) -> dict[str, Any]:
    value = json_value(raw)
    # axios writes "no body" as null or "" if the caller set the content type.
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise Invalid("body", "should be a JSON object")
    return value


def _urlencoded(raw: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise Malformed(
            f"The body is not a form in UTF-8 of at most {MAX_FIELDS} fields."
        ) from None
    if raw.lstrip()[:1] == b"{":
        raise Malformed(
            "The body is JSON, but its Content-Type is that of a form."
            " Use Content-Type: application/json."
        )
    return _gathered(pairs)


async def _multipart(request: web.Request) -> dict[str, Any]:
    try:
        posted = await request.post()
    except (
        ValueError,
        LookupError,
        AssertionError,
        EOFError,
        RuntimeError,
        BadHttpMessage,
    ):
        raise Malformed("The body is not a multipart form in UTF-8.") from None
    pairs: list[tuple[str, str]] = []
    for name, value in posted.items():
        if not isinstance(value, str):
            raise Invalid(name, "should be text, not a file")
        pairs.append((name, value))
    return _gathered(pairs)


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    lists: dict[str, list[str]] = {}
    many = set[str]()
    for name, value in pairs:
        bare = _INDEX.sub("", name)
        if bare != name or bare in lists:
            many.add(bare)
        lists.setdefault(bare, []).append(value)
    return {name: values if name in many else values[0] for name, values in lists.items()}
