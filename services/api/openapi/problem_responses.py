"""Refusals as the document tells them: one response for each status, made from problems.py."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from services.api.core.problems import KINDS, AnyProblem, FieldProblem, Kind, blank
from services.api.openapi import headers
from services.api.openapi.operation import ref

MEDIA = "application/problem+json"


class Problem(AnyProblem):
    """Why a request was not carried out (RFC 9457)."""

    instance: Annotated[
        str | None, Field(description="The path of the request; absent where it was not readable.")
    ] = None
    request_id: Annotated[str, Field(description="Finds the request in the logs.")]


class InputProblem(Problem):
    """The request is readable but wrong; each field at fault is named."""

    errors: tuple[FieldProblem, ...]


_ERRORS = [{"field": "from", "message": "should not be after to"}]
# What a refusal of each status means, and what it may say.
_MEANINGS: dict[int, tuple[str, str]] = {
    400: ("The request or its body cannot be read at all.", "The body is not JSON."),
    401: (
        "The request carries no key, or one that is mistyped, unknown or revoked.",
        "This key is unknown or revoked.",
    ),
    403: ("The key lacks the scope that the call needs.", "This key lacks the scope reports:read."),
    404: (
        "The business has no such thing; what another business has is no such thing either.",
        "There is no such customer.",
    ),
    405: (
        "A method that this path does not know; `Allow` lists those that it does.",
        "Specified method is invalid for this resource",
    ),
    406: (
        "The caller's Accept or Accept-Encoding rules out all that the answer could be.",
        "The answer is application/json, which Accept rules out.",
    ),
    409: (
        "The request contradicts what has happened: its Idempotency-Key, too, may be taken.",
        "Nothing of this send can be cancelled any more.",
    ),
    413: ("The body is larger than 1 MiB.", "Maximum request body size 1048576 exceeded."),
    415: ("The body is of a type or an encoding that is not read.", "The body should be JSON."),
    422: ("A parameter, a header or a field of the body is wrong.", "from: should not be after to"),
    429: (
        "Too much was asked for, of the minute or of the day; nothing of it was carried out.",
        "These recipients are more than are left for this day; nothing was stored.",
    ),
    503: (
        "Not possible at the moment; worth asking again.",
        "The database cannot be reached at the moment.",
    ),
}


def responses() -> dict[str, dict[str, Any]]:
    """Return the response of each status with which a request may be refused."""
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
    example: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": status,
        "detail": detail,
        "instance": "/api/v3/reports/customers/client/4/2024-11-30/2024-11-01",
        "request_id": "019ab3a0-4b5e-4d3c-9d68-6a1f0e5d2c11",
    }
    unprocessable = status == HTTPStatus.UNPROCESSABLE_ENTITY
    if unprocessable:
        example["errors"] = _ERRORS
    return {
        "description": f"{meaning} `type`: {types}.",
        "headers": headers.of(*headers.EVERYWHERE, *headers.OF_STATUS.get(status, ())),
        "content": {
            MEDIA: {
                "schema": ref("InputProblem" if unprocessable else "Problem"),
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
