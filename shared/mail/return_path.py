"""The return path of one mail: it names the delivery, and cannot be made without the secret."""

import base64
import hmac
import re
from uuid import UUID

from shared.mail.address import OCTETS_MAX

_LOCAL = "bounce+"
_SIGNATURE = 10  # octets: 16 characters in base32
_FORM = re.compile(r"bounce\+([a-z2-7]{26})\.[a-z2-7]{16}@", re.IGNORECASE | re.ASCII)
_DOMAIN_CHARS_MAX = OCTETS_MAX - len(_LOCAL) - 26 - len(".") - 16 - len("@")
_OLD_FORM = re.compile(r"[^@]{1,31}\+bounce-([0-9a-f]{32})", re.IGNORECASE)


class ReturnPaths:
    """Makes and reads the return paths of deliveries at one domain."""

    def __init__(self, secret: str, domain: str, *, old: str | None = None) -> None:
        """Sign with `secret`; what `old` signed before is still read.

        Raises ValueError if the domain is too long for an address.
        """
        if len(domain) > _DOMAIN_CHARS_MAX:
            raise ValueError(f"needs a domain of at most {_DOMAIN_CHARS_MAX} characters")
        self._secrets = [each.encode() for each in (secret, old) if each is not None]
        self.domain = domain.lower()

    def address(self, delivery_id: UUID) -> str:
        """Return the return path of a delivery; the same at every attempt."""
        return self._address(delivery_id, self._secrets[0])

    def delivery(self, address: str) -> UUID | None:
        """Return the delivery that an address names, None if it was not made with our secrets.

        Servers may write an address in upper case.
        """
        match = _FORM.match(address)
        if match is None or not address.isascii():
            return None
        named = UUID(bytes=base64.b32decode(f"{match[1].upper()}======"))
        # The whole of it: the same id can be written in several ways, and one of them is ours.
        for secret in self._secrets:
            if hmac.compare_digest(self._address(named, secret), address.lower()):
                return named
        return None

    def _address(self, delivery_id: UUID, secret: bytes) -> str:
        named = delivery_id.bytes
        signature = hmac.digest(secret, b"return path " + named, "sha256")[:_SIGNATURE]
        return f"{_LOCAL}{_base32(named)}.{_base32(signature)}@{self.domain}"


def unsigned_delivery(address: str) -> UUID | None:
    """Return the delivery that a return path of the former, unsigned form names, or None."""
    match = _OLD_FORM.fullmatch(address.rpartition("@")[0])
    return UUID(hex=match[1]) if match else None


def _base32(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()
