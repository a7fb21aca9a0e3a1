"""Whether an error is an outage of Postgres, or a fault of one batch or schedule alone."""

import asyncpg

from shared.db import postgres

# What one batch or schedule may take too long for, while Postgres is well.
_TOO_SLOW = (TimeoutError, asyncpg.QueryCanceledError)


def is_outage(error: Exception) -> bool:
    """Return whether the error concerns all work, because Postgres is unavailable."""
    return isinstance(error, postgres.UNAVAILABLE) and not isinstance(error, _TOO_SLOW)
