"""Listens to NOTIFY from Postgres, which signals that a delivery has become due."""

import asyncio

import structlog

from shared.db import postgres
from shared.deliveries.relay import DUE_CHANNEL

_log = structlog.get_logger("ledgerpost.relay")
# Seconds between pings, and the timeout of a ping: asyncpg does not notice a dead peer.
_PING = 5.0


async def listen(dsn: str, wake: asyncio.Event) -> None:
    """Set `wake` whenever a delivery becomes due; reconnect after every error.

    A lost notification delays a delivery by one poll at most, so errors are only logged.
    """
    while True:
        try:
            # The relay's pool has checked already that sessions are not shared.
            conn = await postgres.connect(
                dsn, name="ledgerpost-listener", proven=True, command_timeout=_PING
            )
            try:
                await conn.add_listener(DUE_CHANNEL, lambda *_: wake.set())
                wake.set()
                while True:
                    await asyncio.sleep(_PING)
                    await conn.execute("SELECT 1")
            finally:
                conn.terminate()
        except postgres.UNAVAILABLE as error:
            _log.info("listener reconnects", error=repr(error))
            await asyncio.sleep(1)
