"""Why a request is not carried out; only http/problem_json.py turns a refusal into an answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

Scope = Literal["reports:read", "transactions:send"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Refusal(Exception):
    """A request is not carried out; the message is one sentence for its caller."""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the input, by the name under which it was given."""

    field: str
    message: str


class InvalidInput(Refusal, ValueError):
    """The input is readable but wrong, for each of `errors` in the field that it names."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in self.errors))


class Invalid(InvalidInput):
    """One field of the input is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__([FieldError(field, message)])


class Malformed(Refusal, ValueError):
    """The input cannot be read at all."""


class NotFound(Refusal, LookupError):
    """The caller's business has no such thing; what another business has is no such thing."""

    def __init__(self, noun: str) -> None:
        super().__init__(f"There is no such {noun}.")


class Conflict(Refusal):
    """What the request asks for contradicts what has happened already."""


class Busy(Refusal):
    """Too much is going on at the moment; worth asking again after `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class OverQuota(Refusal):
    """The business has had its share; worth asking again after `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class KeyReused(Conflict):
    """The key names another request of the last 24 hours."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a request of other content.")


class InFlight(Conflict):
    """The first request of this key has no answer yet; worth asking again after `retry_after`."""

    retry_after = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is being carried out.")


class Unauthenticated(Refusal):
    """The request carries no key that is valid; `given` says whether it carries one at all."""

    def __init__(self, message: str, *, given: bool) -> None:
        self.given = given
        super().__init__(message)


class Forbidden(Refusal):
    """The key is valid, but lacks `scope`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"This key lacks the scope {scope}.")


class RateLimited(Refusal):
    """The key, or the caller's address, has asked too often; worth asking after `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(message)
