"""Listens to NOTIFY from Postgres, which signals that there is something to do."""

import asyncio
from collections.abc import Mapping

import structlog

from shared.db import postgres

_log = structlog.get_logger("ledgerpost.relay")
# Seconds between pings, and the timeout of a ping: asyncpg does not notice a dead peer.
_PING = 5.0


async def listen(dsn: str, wakes: Mapping[str, asyncio.Event]) -> None:
    """Set the event of a channel whenever it is notified; reconnect after every error.

    A lost notification delays work by one poll at most, so errors are only logged.
    """
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
                while True:
                    await asyncio.sleep(_PING)
                    await conn.execute("SELECT 1")
            finally:
                conn.terminate()
        except postgres.UNAVAILABLE as error:
            _log.info("notifications_reconnect", error=repr(error))
            await asyncio.sleep(1)
