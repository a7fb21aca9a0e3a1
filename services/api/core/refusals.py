"""The reasons to refuse a request; http/problem_json.py alone turns a refusal into an answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final, Literal, get_args

from shared.text import cut

Scope = Literal["reports:read", "transactions:send", "branding:write", "returns:write"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
# What a call needs that every valid key may make.
NO_SCOPE: Final = "no scope"
NeededScope = Scope | Literal["no scope"]
_ERRORS_MAX: Final = 50
_NAME_CHARS_MAX: Final = 201  # with the ellipsis


class Refusal(Exception):
    """A request is refused; the message is one sentence for its caller."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the input; `field` is its name in the request."""

    field: str
    message: str


class InvalidInput(Refusal, ValueError):
    """The input is readable but invalid; each of `errors` names a field.

    Only the first 50 errors are kept, and of each name the first 200 characters: the caller chose
    the names, and an answer should not be many times the request.
    """

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(
            FieldError(cut(error.field, _NAME_CHARS_MAX), error.message)
            for error in islice(errors, _ERRORS_MAX)
        )
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))


class Invalid(InvalidInput):
    """One field of the input is invalid."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__([FieldError(field, message)])


class Malformed(Refusal, ValueError):
    """The input cannot be read at all."""


class NotFound(Refusal, LookupError):
    """The caller's business has no such object; an object of another business counts as none."""

    def __init__(self, noun: str, *, said: str = "") -> None:
        """Say that there is no such `noun`, or what is `said`."""
        super().__init__(said or f"There is no such {noun}.")


class Conflict(Refusal):
    """The request conflicts with the current state."""


class Postponed(Refusal):
    """The request is refused now; the caller may retry after `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class Busy(Postponed):
    """The system is overloaded at the moment."""


class OverQuota(Postponed):
    """The business has used up its quota."""


class KeyReused(Conflict):
    """The Idempotency-Key belongs to a different request of the last 24 hours."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was already used for a request with different content."
        )


class InFlight(Conflict):
    """The first request with this Idempotency-Key is still running; retry after `retry_after`."""

    retry_after = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running.")


class Unauthenticated(Refusal):
    """The request has no valid API key; `given` is whether it has a key at all."""

    def __init__(self, message: str, *, given: bool) -> None:
        self.given = given
        super().__init__(message)


class Forbidden(Refusal):
    """The key is valid, but lacks `scope`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"This key lacks the scope {scope}.")


class RateLimited(Postponed):
    """The key has made too many requests."""
