"""Sessions of browsers, each begun by a key and ended with it."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Self
from uuid import UUID

from shared.db import sql
from shared.db.postgres import Connection

LIFETIME = timedelta(hours=12)
# Sessions of one key; the oldest ends if one more begins.
MOST = 100

_queries = sql.load("services.api.access", "sessions.sql")
_FORM = re.compile(r"[0-9A-Za-z_-]{43}", re.ASCII)


@dataclass(frozen=True, repr=False)
class Token:
    """What the cookie of a session holds: 256 random bits."""

    text: str

    @classmethod
    def generate(cls) -> Self:
        """Return a new token from the system's randomness."""
        return cls(secrets.token_urlsafe(32))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the token in `text`, or None if its form is wrong."""
        return cls(text) if _FORM.fullmatch(text) else None

    @cached_property
    def sha256(self) -> bytes:
        """The hash that is stored; 256 random bits need no slow hash."""
        return hashlib.sha256(self.text.encode()).digest()


async def begin(conn: Connection, key_id: UUID) -> Token:
    """Begin a session of the key with this id, and return its token."""
    token = Token.generate()
    await conn.execute(_queries.begin, token.sha256, key_id, LIFETIME, MOST)
    return token


async def key_of(conn: Connection, token: Token) -> bytes | None:
    """Return the hash of the key of a session; None if the session or its key has ended."""
    digest: bytes | None = await conn.fetchval(_queries.key_of, token.sha256)
    return digest


async def end(conn: Connection, token: Token) -> None:
    """End a session. It may be repeated."""
    await conn.execute(_queries.finish, token.sha256)
