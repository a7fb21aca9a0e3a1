"""The metrics of the connection pools of a process."""

import asyncpg
from prometheus_client import CollectorRegistry, Counter, Gauge


class PoolMetrics:
    """Counts the connections of each pool of a process, by the pool's name."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._connections = Gauge(
            "ledgerpost_database_connections",
            "Connections to Postgres: in_use, or idle in the pool.",
            ("pool", "state"),
            registry=registry,
        )
        self._limit = Gauge(
            "ledgerpost_database_connections_limit",
            "The most connections that a pool opens.",
            ("pool",),
            registry=registry,
        )
        self._connects = Counter(
            "ledgerpost_database_connects",
            "Connections that were opened, or failed to open; they are opened again after a loss.",
            ("pool", "outcome"),
            registry=registry,
        )

    def look(self, name: str, pool: asyncpg.Pool) -> None:
        """Set the gauges of a pool."""
        idle = pool.get_idle_size()
        self._connections.labels(name, "in_use").set(pool.get_size() - idle)
        self._connections.labels(name, "idle").set(idle)
        self._limit.labels(name).set(pool.get_max_size())

    def connected(self, name: str, *, opened: bool) -> None:
        """Count a connection that was opened, or could not be."""
        self._connects.labels(name, "opened" if opened else "failed").inc()
