"""The rate of the relay: from due rows to confirmed messages and events."""

from dataclasses import dataclass

import asyncpg

from bench import deliveries, servers

# One statement for all, so that what is measured is publishing.
_FROZEN = """
WITH kept AS (
    INSERT INTO statements (business_id, sha256, content) VALUES (1, sha256('bench'), '{}')
    ON CONFLICT (business_id, sha256) DO UPDATE SET content = excluded.content
    RETURNING sha256
)
UPDATE sends SET statement_sha256 = kept.sha256 FROM kept
WHERE statement_sha256 IS NULL AND send_at <= now()
"""
_SPAN = """
WITH span AS (
    -- From the first row that left for the queue, or from the first statement that was frozen.
    SELECT CASE WHEN $1 THEN min(e.occurred_at) ELSE min(s.created_at) END AS begun,
           max(d.published_at) AS ended
    FROM delivery_events e JOIN deliveries d ON d.id = e.delivery_id CROSS JOIN (SELECT min(created_at) AS created_at FROM statements) s
    WHERE e.state = 'queued'
)
SELECT extract(epoch FROM ended - begun)::float8 AS seconds,
       (SELECT count(*) FROM delivery_events WHERE published_at <= ended) AS events
FROM span
"""


@dataclass(frozen=True)
class Published:
    """Confirmed messages per second: wake-ups, and events of the outbox in the same time."""

    wakeups: float
    events: float


def freeze(dsn: str) -> None:
    """Give every due send the same statement."""
    deliveries.on(dsn, lambda conn: conn.execute(_FROZEN))


def run(dsn: str, amqp: str, number: int, *, frozen: bool) -> Published:
    """Let the relay publish due rows."""
    deliveries.clear(dsn, amqp)
    deliveries.add(dsn, number)
    if frozen:
        freeze(dsn)
        deliveries.on(dsn, lambda conn: conn.execute("VACUUM ANALYZE sends"))
    with servers.relay(dsn, amqp, fills=True):
        deliveries.wait(dsn, "published_at IS NOT NULL", number)

    async def span(conn: asyncpg.Connection) -> Published:
        row = await conn.fetchrow(_SPAN, frozen)
        return Published(number / row["seconds"], row["events"] / row["seconds"])

    return deliveries.on(dsn, span)
