"""The logos of the latest mails."""

from collections import OrderedDict
from typing import Final

from services.mailer.delivery.claims import Claims

_CACHED_MAX: Final = 64  # logos; one has at most 1 MiB, and most have a hundredth of that


class Logos:
    """Reads logos, and remembers the latest ones."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._latest: OrderedDict[tuple[int, bytes], bytes] = OrderedDict()

    async def read(self, business_id: int, sha256: bytes | None) -> bytes | None:
        """Return the logo that a statement names by its hash; None if it names none, or it is gone.

        A mail without its logo is better than none.
        """
        if sha256 is None:
            return None
        key = (business_id, sha256)
        if key in self._latest:
            self._latest.move_to_end(key)
            return self._latest[key]
        png = await self._claims.logo(business_id, sha256)
        if png is not None:
            self._latest[key] = png
            while len(self._latest) > _CACHED_MAX:
                self._latest.popitem(last=False)
        return png
