"""The document's responses for refusals: one for each status, made from core/problems.py."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from services.api.core.problems import (
    KINDS,
    MEDIA,
    AnyProblem,
    FieldProblem,
    Kind,
    blank,
    body,
)
from services.api.openapi import headers
from services.api.openapi.operation import ref


class Problem(AnyProblem):
    """Why a request was refused (RFC 9457)."""

    instance: Annotated[
        str | None, Field(description="The path of the request; absent if it could not be read.")
    ] = None
    request_id: Annotated[str, Field(description="The id of the request in the logs.")]


class InputProblem(Problem):
    """The request is readable but invalid; `errors` names each invalid field."""

    errors: tuple[FieldProblem, ...]


_ERRORS = [{"field": "from", "message": "should not be after to"}]
# The meaning of each status, and an example of its `detail`.
_MEANINGS: dict[int, tuple[str, str]] = {
    400: ("The request or its body cannot be read.", "The body is not JSON."),
    401: (
        "The request has no API key, or one that is mistyped, unknown, revoked or expired.",
        "This key is unknown or revoked.",
    ),
    403: ("The key lacks the scope that the call needs.", "This key lacks the scope reports:read."),
    404: (
        "Not found. Objects of other businesses are not found either.",
        "There is no such customer.",
    ),
    405: (
        "The path does not support this method; `Allow` lists the methods that it supports.",
        "Specified method is invalid for this resource",
    ),
    406: (
        "Accept or Accept-Encoding rules out every form in which the answer is available.",
        "The answer is application/json, which Accept rules out.",
    ),
    409: (
        "The request conflicts with the current state, or its Idempotency-Key is taken.",
        "No mail of this send can be cancelled any more.",
    ),
    413: ("The body is larger than 1 MiB.", "Maximum request body size 1048576 exceeded."),
    415: ("The API does not read bodies of this type or encoding.", "The body should be JSON."),
    422: (
        "A parameter, a header or a field of the body is invalid.",
        "from: should not be after to",
    ),
    429: (
        "The key's rate limit or a daily limit of the business is exceeded; nothing was changed.",
        "The quota of 5000 recipients due on 2026-01-05 (in UTC) is exceeded; nothing was stored.",
    ),
    503: (
        "Temporarily unavailable; retry after `Retry-After` seconds.",
        "The database cannot be reached at the moment.",
    ),
}


def responses() -> dict[str, dict[str, Any]]:
    """Return the response for each status of a refusal."""
    return {_name(status): _response(status) for status in _MEANINGS}


def of(*statuses: int) -> dict[str, dict[str, str]]:
    """Return references to the responses of these statuses."""
    return {
        str(status): {"$ref": f"#/components/responses/{_name(status)}"}
        for status in sorted(statuses)
    }


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _response(status: int) -> dict[str, Any]:
    meaning, detail = _MEANINGS[status]
    kind, types = _kind(status), " or ".join(f"`{each}`" for each in _types(status))
    unprocessable = status == HTTPStatus.UNPROCESSABLE_ENTITY
    example = body(
        kind,
        detail,
        instance="/api/v3/reports/customers/client/4/2024-11-30/2024-11-01",
        request_id="019ab3a0-4b5e-4d3c-9d68-6a1f0e5d2c11",
        **({"errors": _ERRORS} if unprocessable else {}),
    )
    return {
        "description": f"{meaning} `type`: {types}.",
        "headers": headers.of(*headers.EVERYWHERE, *headers.OF_STATUS.get(status, ())),
        "content": {
            MEDIA: {
                "schema": ref(InputProblem if unprocessable else Problem),
                "example": example,
            }
        },
    }


def _types(status: int) -> list[str]:
    known = [kind.type for kind in KINDS.values() if kind.status == status]
    return known or [blank(status).type]


def _kind(status: int) -> Kind:
    for kind in KINDS.values():
        if kind.status == status:
            return kind
    return blank(status)
