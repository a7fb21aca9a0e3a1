"""The kinds of problem (RFC 9457), for requests over HTTP and over the queue.

`type` is a path of this API that never changes and identifies one kind of refusal; its page says
what the caller can do (contract/page/problems.py). Refusals that
HTTP itself defines (unknown path, wrong method) have the type `about:blank`.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.api.core.refusals import (
    Busy,
    Conflict,
    Forbidden,
    InvalidInput,
    Malformed,
    NotFound,
    OverQuota,
    RateLimited,
    Refusal,
    Unauthenticated,
)

MEDIA = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of problem: the status, `type` and title that all its cases share.

    `meaning` says what happened, and `advice` what the caller can do, in Markdown with nothing but
    backquotes. Both are empty if HTTP itself defines the refusal.
    """

    status: HTTPStatus
    type: str
    title: str
    meaning: str = ""
    advice: str = ""


KINDS: dict[type, Kind] = {
    InvalidInput: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "/problems/invalid-input",
        "The input is not valid",
        "A parameter, a header or a field of the body is invalid.",
        "`errors` names each invalid field and says what is wrong with it. Correct them all before"
        " you send the request again.",
    ),
    Malformed: Kind(
        HTTPStatus.BAD_REQUEST,
        "/problems/malformed-body",
        "The body cannot be read",
        "The request or its body cannot be read.",
        "`detail` says why. Send the body in the form that its `Content-Type` names, in UTF-8 and"
        " whole.",
    ),
    NotFound: Kind(
        HTTPStatus.NOT_FOUND,
        "/problems/not-found",
        "Not found",
        "Not found. Objects of other businesses are not found either.",
        "Check the id, and whether the key belongs to the business that has the object:"
        " `GET /api/v3/me` shows the business of a key.",
    ),
    Conflict: Kind(
        HTTPStatus.CONFLICT,
        "/problems/conflict",
        "Conflict with the current state",
        "The request conflicts with the current state, or its Idempotency-Key is taken.",
        "`detail` says which. Read the object again before you decide what to do. A request with"
        " other content needs another `Idempotency-Key`. If there is a `Retry-After`, the first"
        " request with this key is still running: repeat the same request after so many seconds.",
    ),
    Unauthenticated: Kind(
        HTTPStatus.UNAUTHORIZED,
        "/problems/unauthenticated",
        "A valid API key is needed",
        "The request has no API key, or one that is mistyped, unknown, revoked or expired.",
        "Send one header `Authorization: Bearer KEY`. Whoever runs the API creates keys.",
    ),
    Forbidden: Kind(
        HTTPStatus.FORBIDDEN,
        "/problems/missing-scope",
        "The API key does not allow this",
        "The key lacks the scope that the call needs.",
        "`detail` names the scope. Use a key that was created with it: `GET /api/v3/me` shows the"
        " scopes of a key, which never change.",
    ),
    OverQuota: Kind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "/problems/over-quota",
        "The quota is used up",
        "A daily limit of the business is exceeded; nothing was changed.",
        "Repeat the request after `Retry-After` seconds, or let the send be due on another day."
        " Whoever runs the API sets the limits.",
    ),
    RateLimited: Kind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "/problems/rate-limited",
        "Rate limit exceeded",
        "The key's rate limit is exceeded; nothing was changed.",
        "Repeat the request after `Retry-After` seconds. The headers `RateLimit-Remaining` and"
        " `RateLimit-Reset` of every answer show what is left, and until when.",
    ),
    Busy: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "/problems/unavailable",
        "Temporarily unavailable",
        "Temporarily unavailable; retry after `Retry-After` seconds.",
        "Repeat the request as it was after `Retry-After` seconds. A `POST` with an"
        " `Idempotency-Key` makes its change once, however often it is repeated.",
    ),
}


def kind(refusal: Refusal) -> Kind:
    """Return the kind of `refusal`, by the nearest of its classes that has one."""
    return next(KINDS[each] for each in type(refusal).__mro__ if each in KINDS)


def blank(status: int) -> Kind:
    """Return the kind of a refusal that HTTP itself defines, with the phrase of `status`."""
    code = HTTPStatus(status)
    return Kind(code, "about:blank", code.phrase)


def body(kind: Kind, detail: str, **members: Any) -> dict[str, Any]:
    """Return the members of a problem: those of its kind, `detail` and `members`."""
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status.value,
        "detail": detail,
        **members,
    }


def errors(refusal: InvalidInput) -> list[dict[str, str]]:
    """Return the member `errors` of a problem: each invalid field."""
    return [{"field": each.field, "message": each.message} for each in refusal.errors]


class FieldProblem(BaseModel):
    """What is wrong with one field of the input."""

    model_config = ConfigDict(frozen=True)

    field: Annotated[
        str,
        Field(
            description="The name of the parameter, header or body field, as the request wrote it."
        ),
    ]
    message: str


class AnyProblem(BaseModel):
    """The members of every problem, for requests over HTTP and over the queue."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[
        str,
        Field(
            description="The kind of problem, a path with a page about it. It never changes; if it"
            " is `about:blank`, see `status`."
        ),
    ]
    title: Annotated[str, Field(description="A summary, the same for all problems of this type.")]
    status: Annotated[int, Field(ge=400, le=599, description="The HTTP status.")]
    detail: Annotated[
        str, Field(description="What is wrong with this request, in a sentence for people.")
    ]


class Problem(AnyProblem):
    """Why a request over the queue was refused (RFC 9457), with the status of the HTTP API."""

    errors: Annotated[
        tuple[FieldProblem, ...],
        Field(description="Each invalid field; empty if the input is valid."),
    ] = ()

    @classmethod
    def of(cls, refusal: Refusal) -> "Problem":
        """Return the problem that describes `refusal`."""
        members = {"errors": errors(refusal)} if isinstance(refusal, InvalidInput) else {}
        return cls.model_validate(body(kind(refusal), str(refusal), **members))
