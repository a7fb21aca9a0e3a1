"""What a support bundle says of RabbitMQ: its version, and how many messages wait."""

from typing import Any

from shared.amqp import topology
from shared.amqp.probes import asking
from shared.support.database import rounded


async def described(url: str) -> dict[str, Any]:
    """Return the version and the queues. Raises one of broker.UNAVAILABLE."""
    found: dict[str, Any] = {}
    async with asking(url) as probes:
        for name in sorted(topology.QUEUES):
            queue = await probes.queue(name)
            found[name] = queue and {
                "ready": rounded(queue.ready),
                "consumers": queue.consumers,
                "differs": queue.differs,
            }
        return {"version": probes.version, "queues": found}
