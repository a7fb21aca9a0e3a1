"""What a process counts, as Prometheus reads it."""

from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def registry() -> CollectorRegistry:
    """Return a registry of its own for one process, which counts what the process itself uses."""
    new = CollectorRegistry()
    ProcessCollector(registry=new)
    PlatformCollector(registry=new)
    GCCollector(registry=new)
    return new


def expose(counted: CollectorRegistry, *, gathered_in: Path | None = None) -> bytes:
    """Return all figures of `counted` as text, or those of all processes that share a folder."""
    if gathered_in is None:
        return generate_latest(counted)
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone, path=str(gathered_in))  # type: ignore[no-untyped-call]  # it has no types
    return generate_latest(everyone)
