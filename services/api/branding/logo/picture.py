"""A logo as statements show it, and the bounds of the file that it is made of."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

#: The largest file that is read, in octets, and its longest side in pixels.
OCTETS_MAX: Final = 1_000_000
SIDE_MAX: Final = 2_000


@dataclass(frozen=True)
class Picture:
    """A PNG and its sides in pixels."""

    png: bytes
    width: int
    height: int

    @cached_property
    def sha256(self) -> bytes:
        """The SHA-256 of the PNG."""
        return hashlib.sha256(self.png).digest()
