"""What kinds of problem there are (RFC 9457), whatever way a request came.

`type` is a path of this API that stays the same for ever and tells one kind of refusal from
another; what HTTP itself has a word for (no such path, a wrong method) is `about:blank`.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

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


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its status, its `type` and its title, the same for all its cases."""

    status: HTTPStatus
    type: str
    title: str


KINDS: dict[type[Refusal], Kind] = {
    InvalidInput: Kind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "/problems/invalid-input", "The input is not valid"
    ),
    Malformed: Kind(HTTPStatus.BAD_REQUEST, "/problems/malformed-body", "The body cannot be read"),
    NotFound: Kind(HTTPStatus.NOT_FOUND, "/problems/not-found", "There is no such thing"),
    Conflict: Kind(
        HTTPStatus.CONFLICT, "/problems/conflict", "The request contradicts what has happened"
    ),
    Unauthenticated: Kind(
        HTTPStatus.UNAUTHORIZED, "/problems/unauthenticated", "A valid API key is needed"
    ),
    Forbidden: Kind(
        HTTPStatus.FORBIDDEN, "/problems/missing-scope", "The API key does not allow this"
    ),
    OverQuota: Kind(HTTPStatus.TOO_MANY_REQUESTS, "/problems/over-quota", "The quota is used up"),
    RateLimited: Kind(HTTPStatus.TOO_MANY_REQUESTS, "/problems/rate-limited", "Asked too often"),
    Busy: Kind(
        HTTPStatus.SERVICE_UNAVAILABLE, "/problems/unavailable", "Not possible at the moment"
    ),
}


def kind(refusal: Refusal) -> Kind:
    """Return the kind of `refusal`, by the nearest of its classes that has one."""
    return next(kind for known, kind in KINDS.items() if isinstance(refusal, known))


def blank(status: int) -> Kind:
    """Return the kind of what HTTP itself has a word for."""
    code = HTTPStatus(status)
    return Kind(code, "about:blank", code.phrase)


class FieldProblem(BaseModel):
    """What is wrong with one field of the input."""

    model_config = ConfigDict(frozen=True)

    field: Annotated[
        str,
        Field(description="The parameter, header or field of the body, by the name it came under."),
    ]
    message: str


class AnyProblem(BaseModel):
    """What every problem says, whatever way the request came."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[
        str,
        Field(description="The kind of problem, for ever the same; `about:blank`: see `status`."),
    ]
    title: Annotated[str, Field(description="What all problems of this type have in common.")]
    status: Annotated[int, Field(ge=400, le=599, description="The status of the answer.")]
    detail: Annotated[str, Field(description="What is wrong with this request, for a person.")]


class Problem(AnyProblem):
    """Why a request over the queue is not carried out (RFC 9457), with HTTP's status for it."""

    errors: Annotated[
        tuple[FieldProblem, ...],
        Field(description="Each field at fault; none where the input is valid."),
    ] = ()

    @classmethod
    def of(cls, refusal: Refusal) -> "Problem":
        """Return what tells a caller of `refusal`."""
        found = kind(refusal)
        errors = refusal.errors if isinstance(refusal, InvalidInput) else ()
        return cls(
            type=found.type,
            title=found.title,
            status=found.status.value,
            detail=str(refusal),
            errors=tuple(FieldProblem(field=e.field, message=e.message) for e in errors),
        )
