"""What a process counts, as Prometheus reads it."""

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    GCCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def registry() -> CollectorRegistry:
    """Return a registry of its own for one process, which counts what the process itself uses."""
    new = CollectorRegistry()
    ProcessCollector(registry=new)
    GCCollector(registry=new)
    return new


def expose(counted: CollectorRegistry) -> bytes:
    """Return all figures of `counted` as text."""
    return generate_latest(counted)
