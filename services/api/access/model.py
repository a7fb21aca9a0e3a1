import binascii
import hashlib
import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self
from uuid import UUID

from services.api.core.refusals import Forbidden, Scope, Unauthenticated

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_FORM = re.compile(r"(ledgerpost_[0-9A-Za-z]{40})([0-9A-Za-z]{6})", re.ASCII)


@dataclass(frozen=True)
class Principal:
    """Who asks: a key, the one business it is bound to, and what it may do there.

    `is_expired` is by the database's clock; such a key opens nothing. `ledger_version` is what
    reports.store.version() said at that moment, where it was asked along.
    """

    key_id: UUID
    business_id: int
    scopes: frozenset[str]
    expires_at: datetime | None = None
    is_expired: bool = False
    ledger_version: str | None = None

    def need(self, scope: Scope) -> None:
        """Raise Forbidden where the key lacks `scope`."""
        if scope not in self.scopes:
            raise Forbidden(scope)


def valid(holder: Principal | None) -> Principal:
    """Return who holds a key, or raise Unauthenticated where nobody does any more."""
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
        """Return the key that `text` is, or None where its form or its checksum is wrong."""
        match = _FORM.fullmatch(text)
        return cls(text) if match and _checksum(match[1]) == match[2] else None

    @classmethod
    def bearer(cls, headers: Sequence[str]) -> Self:
        """Read a request's Authorization headers, or raise Unauthenticated."""
        match = _BEARER.fullmatch(headers[0]) if len(headers) == 1 else None
        if match is None:
            raise Unauthenticated(
                "The request should carry one header Authorization: Bearer KEY.", given=False
            )
        key = cls.parse(match[1])
        if key is None:
            raise Unauthenticated("This is not a key of this API; was it mistyped?", given=True)
        return key

    @property
    def prefix(self) -> str:
        """What may be shown of the key, to tell it from others: its first 8 random characters."""
        return self.text[: len("ledgerpost_") + 8]

    @cached_property
    def sha256(self) -> bytes:
        """What is stored of the key; 238 random bits need no slow hash."""
        return hashlib.sha256(self.text.encode()).digest()


def _checksum(body: str) -> str:
    number, digits = binascii.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
