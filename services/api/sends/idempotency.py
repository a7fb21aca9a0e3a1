"""The caller's name for a request, under which its repetitions find the first one's answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.api.refusals import Conflict, Invalid

_MAX_LENGTH = 255


@dataclass(frozen=True)
class IdempotencyKey:
    """1 to 255 visible ASCII characters, unique within the business for 24 hours."""

    text: str

    @classmethod
    def parse(cls, headers: Sequence[str]) -> "IdempotencyKey | None":
        """Read the request's Idempotency-Key headers; none at all is no key."""
        if not headers:
            return None
        text = headers[0]
        if len(headers) > 1:
            raise Invalid("Idempotency-Key", "should be given once")
        if not 1 <= len(text) <= _MAX_LENGTH or not all("!" <= sign <= "~" for sign in text):
            raise Invalid("Idempotency-Key", "should have 1 to 255 visible ASCII characters")
        return cls(text)


class KeyReused(Conflict):
    """The key names another request of the last 24 hours."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for a request of other content.")


class InFlight(Conflict):
    """The first request of this key has no answer yet; worth asking again after `retry_after`."""

    retry_after = timedelta(seconds=1)

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is being carried out.")
