"""Listens to NOTIFY from Postgres, which signals that there is something to do."""

import asyncio
from collections.abc import Mapping

from shared.db import postgres
from shared.process.trouble import Trouble

# Seconds between pings, and the timeout of a ping: asyncpg does not notice a dead peer.
_PING = 5.0
_AGAIN = 1.0  # seconds until the next attempt to connect


async def listen(dsn: str, wakes: Mapping[str, asyncio.Event]) -> None:
    """Set the event of a channel whenever it is notified; reconnect after every error.

    A lost notification delays work by one poll at most, so errors are only logged.
    """
    trouble = Trouble("notifications_away")
    while True:
        try:
            # The relay's pool has checked already that sessions are not shared.
            conn = await postgres.connect(
                dsn, name="ledgerpost-listener", proven=True, command_timeout=_PING
            )
            try:
                for channel, wake in wakes.items():
                    await conn.add_listener(channel, lambda *_, wake=wake: wake.set())
                    wake.set()
                trouble.over()
                while True:
                    await asyncio.sleep(_PING)
                    await conn.execute("SELECT 1")
            finally:
                conn.terminate()
        except postgres.UNAVAILABLE as error:
            trouble.met(error)
            await asyncio.sleep(_AGAIN)
