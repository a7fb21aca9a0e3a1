"""A database as the API uses it."""

from dataclasses import dataclass, field

import asyncpg

from shared.process.trouble import Trouble
from shared.turns import Turns


@dataclass(frozen=True)
class OpenDatabase:
    """The pool of a database, and the turns by which businesses share the pool's connections."""

    name: str
    pool: asyncpg.Pool
    turns: Turns
    # What keeps requests from it, for the log.
    trouble: Trouble = field(default_factory=lambda: Trouble("database_unavailable"))
