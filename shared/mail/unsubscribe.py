"""The link by which a recipient refuses further mail; it cannot be made without the secret."""

import base64
import binascii
import hmac
from uuid import UUID

_UUID, _SIGNATURE = 16, 16  # octets
_LONGEST_TOKEN = 44  # characters of 32 octets in base64, padding included


class Links:
    """Makes and reads the tokens of deliveries; each names the address and the business."""

    def __init__(self, secret: str, public_url: str, *, old: str | None = None) -> None:
        """Sign with `secret`; what `old` signed before is still read."""
        self._secrets = [each.encode() for each in (secret, old) if each is not None]
        self._base = f"{public_url.rstrip('/')}/unsubscribe/"

    def url(self, delivery_id: UUID) -> str:
        """Return the link for one delivery; the same at every attempt."""
        named = delivery_id.bytes
        token = base64.urlsafe_b64encode(named + _signature(named, self._secrets[0]))
        return self._base + token.decode().rstrip("=")

    def delivery(self, token: str) -> UUID | None:
        """Return the delivery that a token names, None if it was not made with our secrets."""
        if len(token) > _LONGEST_TOKEN:
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) != _UUID + _SIGNATURE:
            return None
        named, signature = raw[:_UUID], raw[_UUID:]
        for secret in self._secrets:
            if hmac.compare_digest(signature, _signature(named, secret)):
                return UUID(bytes=named)
        return None


def _signature(named: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"unsubscribe " + named, "sha256")[:_SIGNATURE]
