import secrets
import time
from uuid import UUID

_RANDOM_A, _RANDOM_B = 12, 62  # bits


def uuid7() -> UUID:
    """Return a new UUID of version 7 (RFC 9562): milliseconds of Unix time, then randomness."""
    milliseconds = time.time_ns() // 1_000_000
    random_a, random_b = secrets.randbits(_RANDOM_A), secrets.randbits(_RANDOM_B)
    version_and_a = 7 << _RANDOM_A | random_a
    variant_and_b = 0b10 << _RANDOM_B | random_b
    return UUID(int=milliseconds << 80 | version_and_a << 64 | variant_and_b)
