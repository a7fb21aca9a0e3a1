"""The retries of a deferred mail."""

import random
from datetime import timedelta

# Of the first delay: with 30 s that is about 30 s, 2 min, 10 min, 1 h, then every 4 h.
_STEPS = (1, 4, 20, 120, 480)
_JITTER = 0.2


def delay(first: timedelta, attempts: int) -> timedelta:
    """Return the wait after the `attempts`th attempt, jittered by a fifth either way."""
    step = _STEPS[min(max(attempts, 1), len(_STEPS)) - 1]
    return first * step * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
