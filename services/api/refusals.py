"""Why a request is not carried out, in the domain's words; errors.py alone turns them into HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta


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
