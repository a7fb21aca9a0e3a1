"""Answers to refusals and failures, as problem+json (RFC 9457)."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import orjson
from aiohttp import hdrs, web

from services.api.core.problems import KINDS, MEDIA, Kind, blank, body, errors, kind
from services.api.core.refusals import (
    Busy,
    Forbidden,
    InFlight,
    InvalidInput,
    Malformed,
    Postponed,
    Refusal,
    Unauthenticated,
)
from services.api.http import cors
from services.api.http.appkeys import REQUEST_ID
from shared.db.postgres import CONFLICTS, LACKING, is_away

_AWAY = "The database cannot be reached at the moment."
_LACKING = "The database lacks a table or a right that this version needs."
_DATABASE_RETRY = timedelta(seconds=5)
_CONFLICT_RETRY = timedelta(seconds=1)


@dataclass(frozen=True)
class _Problem:
    kind: Kind
    detail: str
    headers: dict[str, str] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)


def expected(error: Exception) -> bool:
    """Return whether `error` is a refusal, an outage or a conflict, and so no bug of ours."""
    return isinstance(error, (Refusal, web.HTTPException, *CONFLICTS)) or is_away(error)


def reader_lost(request: web.Request, error: Exception) -> bool:
    """Return whether `error` means that the caller stopped reading an answer that had begun."""
    begun = request.writer.output_size > 0
    return begun and isinstance(error, OSError) and not is_away(error)


def reader_left(request: web.Request) -> bool:
    """Return whether the caller has closed the connection."""
    return request.transport is None or request.transport.is_closing()


def answer(request: web.Request, error: Exception) -> web.Response:
    """Return the answer that describes `error`; of an unexpected error it shows no detail."""
    problem = _problem(error)
    given = {"instance": request.path, "request_id": request[REQUEST_ID], **problem.members}
    response = response_of(problem.kind, problem.detail, headers=problem.headers, **given)
    if isinstance(error, Malformed):
        # The end of an unreadable body is unknown, and so is the start of the next request.
        response.force_close()
    return response


def response_of(
    kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> web.Response:
    """Return the response of a problem with these members."""
    return web.Response(
        status=kind.status,
        body=orjson.dumps(body(kind, detail, **members)),
        content_type=MEDIA,
        headers=headers,
    )


# The status in logs and metrics of an answer that was not sent whole, because its reader left or
# the server stopped.
NO_ANSWER = 499


class BrokenOff(web.StreamResponse):
    """Breaks off an answer that had begun, so that its beginning is not taken for the whole."""

    def __init__(self, request: web.Request, status: int) -> None:
        super().__init__(status=status)
        self.force_close()
        transport = request.transport
        if transport is None:
            return
        # Reset the connection: an orderly close would end an answer of HTTP/1.0 as if it were
        # whole.
        socket = transport.get_extra_info("socket")
        if socket is not None:
            socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send no headers; those of the broken answer were sent already."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Send no end."""


def _problem(error: Exception) -> _Problem:
    if isinstance(error, Refusal):
        return _refusal(error)
    if isinstance(error, web.HTTPException):
        return _http(error)
    if is_away(error):
        return _Problem(
            KINDS[Busy],
            _LACKING if isinstance(error, LACKING) else _AWAY,
            headers={"Retry-After": _seconds(_DATABASE_RETRY)},
        )
    if isinstance(error, CONFLICTS):
        return _Problem(
            KINDS[Busy],
            "A concurrent change conflicted; nothing was changed. Retry the request.",
            headers={"Retry-After": _seconds(_CONFLICT_RETRY)},
        )
    return _Problem(blank(500), "Internal error; the log has the cause under the request id.")


def _refusal(error: Refusal) -> _Problem:
    headers: dict[str, str] = {}
    members: dict[str, Any] = {}
    match error:
        case InvalidInput():
            members["errors"] = errors(error)
        case Unauthenticated():
            invalid = ', error="invalid_token"' if error.given else ""
            headers["WWW-Authenticate"] = f'Bearer realm="ledgerpost"{invalid}'
        case Forbidden():
            headers["WWW-Authenticate"] = (
                f'Bearer realm="ledgerpost", error="insufficient_scope", scope="{error.scope}"'
            )
        case Postponed() | InFlight():
            headers["Retry-After"] = _seconds(error.retry_after)
        case _:
            pass
    return _Problem(kind(error), str(error), headers, members)


def _http(error: web.HTTPException) -> _Problem:
    kept = {
        name: value
        for name, value in error.headers.items()
        if name.lower() not in {"content-type", "content-length"}
    }
    if isinstance(error, web.HTTPMethodNotAllowed):
        kept[hdrs.ALLOW] = cors.allow(error.allowed_methods)
    said = error.text or ""
    found = blank(error.status)
    # aiohttp's own text is "404: Not Found"; the description in HTTPStatus is more helpful.
    detail = HTTPStatus(error.status).description if said.startswith(f"{error.status}:") else said
    return _Problem(found, detail or found.title, kept)


def _seconds(delay: timedelta) -> str:
    return str(max(1, math.ceil(delay.total_seconds())))
