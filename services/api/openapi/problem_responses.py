"""The document's responses for refusals: one for each status, made from core/problems.py."""

from dataclasses import replace
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
# An example of the `detail` of each status.
_DETAILS: dict[int, str] = {
    400: "The body is not JSON.",
    401: "This key is unknown or revoked.",
    403: "This key lacks the scope reports:read.",
    404: "There is no such customer.",
    405: "Specified method is invalid for this resource",
    406: "The answer is application/json, which Accept rules out.",
    409: "No mail of this send can be cancelled any more.",
    413: "Maximum request body size 1048576 exceeded.",
    415: "The body should be JSON.",
    422: "from: should not be after to",
    429: "The quota of 5000 recipients due on 2026-01-05 (in UTC) is exceeded; nothing was stored.",
    503: "The database cannot be reached at the moment.",
}
# Where two kinds of problem share a status.
_OF_KIND = {"/problems/rate-limited": "Rate limit of 6000 requests per minute exceeded."}
# The meaning of those that HTTP itself defines.
_MEANINGS: dict[int, str] = {
    405: "The path does not support this method; `Allow` lists the methods that it supports.",
    406: "Accept or Accept-Encoding rules out every form in which the answer is available.",
    413: "The body is larger than 1 MiB, or than 2 MiB where the call says so.",
    415: "The API does not read bodies of this type or encoding.",
}


def responses() -> dict[str, dict[str, Any]]:
    """Return the response for each status of a refusal."""
    return {_name(status): _response(status) for status in _DETAILS}


def of(*statuses: int) -> dict[str, dict[str, str]]:
    """Return references to the responses of these statuses."""
    return {
        str(status): {"$ref": f"#/components/responses/{_name(status)}"}
        for status in sorted(statuses)
    }


def example(kind: Kind) -> dict[str, Any]:
    """Return an example of a problem of this kind."""
    unprocessable = kind.status == HTTPStatus.UNPROCESSABLE_ENTITY
    return body(
        kind,
        _OF_KIND.get(kind.type, _DETAILS[kind.status]),
        instance="/api/v3/reports/customers/client/4/2024-11-30/2024-11-01",
        request_id="019ab3a0-4b5e-4d3c-9d68-6a1f0e5d2c11",
        **({"errors": _ERRORS} if unprocessable else {}),
    )


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _response(status: int) -> dict[str, Any]:
    kinds = [kind for kind in KINDS.values() if kind.status == status] or [
        replace(blank(status), meaning=_MEANINGS.get(status, ""))
    ]
    meanings = " ".join(kind.meaning for kind in kinds)
    types = " or ".join(f"`{kind.type}`" for kind in kinds)
    unprocessable = status == HTTPStatus.UNPROCESSABLE_ENTITY
    return {
        "description": f"{meanings} `type`: {types}.",
        "headers": headers.of(*headers.EVERYWHERE, *headers.OF_STATUS.get(status, ())),
        "content": {
            MEDIA: {
                "schema": ref(InputProblem if unprocessable else Problem),
                "example": example(kinds[0]),
            }
        },
    }
