import binascii
import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from services.api.core.refusals import NO_SCOPE, Forbidden, NeededScope, Unauthenticated

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_FORM = re.compile(r"(ledgerpost_[0-9A-Za-z]{40})([0-9A-Za-z]{6})", re.ASCII)


class Principal(NamedTuple):
    """The caller of a request: a key, its business, and the scopes of the key.

    `is_expired` is by the database's clock; an expired key is invalid.
    """

    key_id: UUID
    business_id: int
    scopes: frozenset[str]
    expires_at: datetime | None = None
    is_expired: bool = False

    def need(self, scope: NeededScope) -> None:
        """Raise Forbidden if a scope is needed that the key lacks."""
        if scope != NO_SCOPE and scope not in self.scopes:
            raise Forbidden(scope)


def valid(holder: Principal | None) -> Principal:
    """Return `holder`. Raises Unauthenticated if it is None or expired."""
    if holder is None:
        raise Unauthenticated("This key is unknown or revoked.", given=True)
    if holder.is_expired:
        raise Unauthenticated(
            f"This key expired at {holder.expires_at:%Y-%m-%dT%H:%M:%SZ}.", given=True
        )
    return holder


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
        """Return the key in `text`, or None if its form or its checksum is wrong."""
        match = _FORM.fullmatch(text)
        return cls(text) if match and _checksum(match[1]) == match[2] else None

    @classmethod
    def bearer(cls, headers: Sequence[str]) -> Self:
        """Return the key in a request's Authorization headers. Raises Unauthenticated."""
        match = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
        if match is None:
            raise Unauthenticated(
                "The request should have one header Authorization: Bearer KEY.", given=False
            )
        key = cls.parse(match[1])
        if key is None:
            raise Unauthenticated("This is not a key of this API. Is it mistyped?", given=True)
        return key

    @property
    def prefix(self) -> str:
        """The part of the key that may be shown: its first 8 random characters."""
        return self.text[: len("ledgerpost_") + 8]

    @property
    def sha256(self) -> bytes:
        """The hash that is stored; 238 random bits need no slow hash."""
        return hashlib.sha256(self.text.encode()).digest()


def _checksum(body: str) -> str:
    number, digits = binascii.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
