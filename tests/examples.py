"""How many examples the random tests try: few in a run of all tests, more on demand."""

import os

# EXAMPLES=5 tries five times as many.
_FACTOR = int(os.environ.get("EXAMPLES", "1"))


def examples(few: int) -> int:
    """Return how many examples to try if a run of all tests has time for `few`."""
    return few * _FACTOR
