"""The metrics of a process, in the format of Prometheus; docs/monitor.md lists all of them."""

from importlib.metadata import version

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Gauge,
    GCCollector,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def registry() -> CollectorRegistry:
    """Return a new registry, which includes the version and the memory of the process."""
    new = CollectorRegistry()
    build = Gauge(
        "ledgerpost_build_info",
        "1, with the version of the process as a label.",
        ("version",),
        registry=new,
    )
    build.labels(version("ledgerpost")).set(1)
    ProcessCollector(registry=new)
    GCCollector(registry=new)
    return new


def expose(counted: CollectorRegistry) -> bytes:
    """Return all metrics of `counted` as text."""
    return generate_latest(counted)
