"""The wake-up call from Postgres: something has become due."""

import asyncio

import structlog

from shared.db import postgres
from shared.deliveries.relay import DUE_CHANNEL

_log = structlog.get_logger("ledgerpost.relay")
# Seconds between pings, and until one counts as lost: asyncpg does not notice that a peer is dead.
_PING = 5.0


async def listen(dsn: str, wake: asyncio.Event) -> None:
    """Set `wake` whenever Postgres says that something is due; reconnect for ever.

    Losing a call delays a delivery by one poll at most, so trouble here is only logged.
    """
    while True:
        try:
            # The relay's pool has found out that it is no session of others.
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
