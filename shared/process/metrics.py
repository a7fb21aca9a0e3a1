"""The metrics of a process, in the format of Prometheus."""

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    GCCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def registry() -> CollectorRegistry:
    """Return a new registry, which includes the resources that the process uses."""
    new = CollectorRegistry()
    ProcessCollector(registry=new)
    GCCollector(registry=new)
    return new


def expose(counted: CollectorRegistry) -> bytes:
    """Return all metrics of `counted` as text."""
    return generate_latest(counted)
