import binascii
import hashlib
import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self, get_args
from uuid import UUID

from services.api.refusals import Refusal

Scope = Literal["reports:read", "transactions:send"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(r"(ledgerpost_[0-9A-Za-z]{40})([0-9A-Za-z]{6})", re.ASCII)


class Unauthenticated(Refusal):
    """The request carries no key that is valid; `given` says whether it carries one at all."""

    def __init__(self, message: str, *, given: bool) -> None:
        self.given = given
        super().__init__(message)


class Forbidden(Refusal, PermissionError):
    """The key is valid, but lacks `scope`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"This key lacks the scope {scope}.")


class RateLimited(Refusal):
    """The key, or the caller's address, has asked too often; worth asking after `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        super().__init__(message)


@dataclass(frozen=True)
class Principal:
    """Who asks: a key, the one business it is bound to, and what it may do there.

    `is_expired` is by the database's clock; such a key opens nothing.
    """

    key_id: UUID
    business_id: int
    scopes: frozenset[str]
    expires_at: datetime | None = None
    is_expired: bool = False


@dataclass(frozen=True, repr=False)
class Key:
    """A bearer key: `ledgerpost_`, 40 random base62 characters (238 bits), 6 of checksum."""

    text: str

    @classmethod
    def generate(cls) -> Self:
        """Return a new key from the system's randomness."""
        body = "ledgerpost_" + "".join(secrets.choice(_ALPHABET) for _ in range(40))
        return cls(body + _checksum(body))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the key that `text` is, or None where its form or its checksum is wrong."""
        match = _FORM.fullmatch(text)
        return cls(text) if match and _checksum(match[1]) == match[2] else None

    @property
    def prefix(self) -> str:
        """What may be shown of the key, to tell it from others: its first 8 random characters."""
        return self.text[: len("ledgerpost_") + 8]

    @property
    def sha256(self) -> bytes:
        """What is stored of the key; 238 random bits need no slow hash."""
        return hashlib.sha256(self.text.encode()).digest()


def _checksum(body: str) -> str:
    number, digits = binascii.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
