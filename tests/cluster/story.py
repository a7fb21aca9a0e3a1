"""What is done to the cluster while callers ask, and what has to be true afterwards."""

import asyncio
import time
from dataclasses import dataclass

from shared.amqp import topology
from tests.cluster.containers import NETWORK, PROJECT, Containers, docker, until_healthy
from tests.cluster.traffic import Disturbance, Traffic

CUT_OFF = 60.0  # seconds for which a node is cut off
RESUMED = 30.0  # seconds without a new mail that a node that is cut off may cause
_KINDS = ("api", "relay", "mailer")
_NODES = ("rabbitmq", "rabbitmq-2", "rabbitmq-3")
_CALM = 10.0  # seconds between two faults
_GRACE = "960"  # seconds that a container may take to stop, as compose gives a mailer
_LIST = ("rabbitmqctl", "-q", "list_queues", "-p", "ledgerpost", "--no-table-headers")
_LEADERS = (*_LIST, "name", "leader")
_OPEN = """SELECT count(*) FROM deliveries
    WHERE state IN ('scheduled', 'queued', 'sending', 'deferred')"""
_DELIVERIES = "SELECT id, state FROM deliveries"
# How often a mail may have gone out. In the last two states a process or the database died between
# the dot and the record.
_MAILED = {"sent": (1,), "in_doubt": (0, 1), "committing": (0, 1)}
_RECIPIENTS = 2  # of each send: the customer and another address
_STATES = "SELECT state, count(*) FROM deliveries GROUP BY 1 ORDER BY 1"


@dataclass
class Result:
    """What was seen: the steps, the mails, and every promise that was broken."""

    steps: list[Disturbance]
    mails: int
    states: str
    containers: str
    wrong: list[str]


async def play(cluster: Containers) -> Result:
    """Restart, kill and cut off what the cluster has, one after the other, under load."""
    traffic = Traffic(
        f"http://127.0.0.1:{cluster.api_port}",
        f"http://127.0.0.1:{cluster.inbox_port}",
        cluster.key,
    )
    async with traffic:
        cut = await _disturb(cluster, traffic)
    await _settled(cluster)
    wrong = [
        f"{step.name}: {fault}" for step in traffic.steps if not step.may_fail
        for fault in step.failed[:5]
    ]  # fmt: skip
    if cut.silence > RESUMED:
        wrong.append(f"{cut.name}: no mail for {cut.silence:.0f} s")
    states = (await cluster.query(_STATES)).replace("|", " ").replace("\n", ", ")
    wrong += await _audit(cluster, traffic)
    mails = (await traffic.mails()).total()
    return Result(traffic.steps, mails, states, await cluster.compose("ps", "--all"), wrong)


async def _disturb(cluster: Containers, traffic: Traffic) -> Disturbance:
    """Do one thing after the other; return the step in which a node is cut off."""
    await asyncio.sleep(2 * _CALM)
    for kind in _KINDS:
        traffic.step(f"each {kind} restarted")
        for container in await cluster.named(kind):
            await _restart(container)
    for kind in _KINDS:
        traffic.step(f"one {kind} killed", may_fail=kind == "api")
        await _kill((await cluster.named(kind))[0])
    nodes = [name for node in _NODES for name in await cluster.named(node)]
    traffic.step("each RabbitMQ node restarted")
    for node in nodes:
        await _restart(node)
    traffic.step("the RabbitMQ node that leads the deliveries killed")
    await _kill(await _leader(cluster))
    cut = traffic.step(f"the RabbitMQ node that leads the deliveries cut off for {CUT_OFF:g} s")
    await _cut_off(await _leader(cluster))
    [replica] = await cluster.named("postgres-replica")
    traffic.step("the replica killed")
    await _kill(replica)
    [primary] = await cluster.named("postgres")
    traffic.step("the primary killed", may_fail=True)
    await _kill(primary)
    [haproxy] = await cluster.named("haproxy")
    traffic.step("HAProxy restarted", may_fail=True)
    await _restart(haproxy)
    return cut


async def _restart(container: str) -> None:
    await docker("restart", "--time", _GRACE, container)
    await until_healthy(container)
    await asyncio.sleep(_CALM)


async def _kill(container: str) -> None:
    await docker("kill", container)
    await asyncio.sleep(_CALM)
    await docker("start", container)
    await until_healthy(container)
    await asyncio.sleep(_CALM)


async def _leader(cluster: Containers) -> str:
    """Return the container of the node that leads the queue of deliveries."""
    rows = (await cluster.compose("exec", "-T", "rabbitmq", *_LEADERS)).splitlines()
    leaders = dict(row.split() for row in rows)
    [container] = await cluster.named(leaders[topology.DELIVERIES].removeprefix("rabbit@"))
    return container


async def _cut_off(container: str) -> None:
    """Take a node off the network, from the other nodes and from all clients."""
    name = container.removeprefix(f"{PROJECT}-").rsplit("-", 1)[0]
    await docker("network", "disconnect", NETWORK, container)
    await asyncio.sleep(CUT_OFF)
    await docker("network", "connect", "--alias", name, NETWORK, container)
    await until_healthy(container)
    await asyncio.sleep(_CALM)


async def _settled(cluster: Containers, wait: float = 300) -> None:
    deadline = time.monotonic() + wait
    while await cluster.query(_OPEN) != "0" and time.monotonic() < deadline:
        await asyncio.sleep(1)


async def _audit(cluster: Containers, traffic: Traffic) -> list[str]:
    """Return one line for each delivery that is lost, doubled or nobody asked for."""
    got = await traffic.mails()
    rows = [row.split("|") for row in (await cluster.query(_DELIVERIES)).splitlines()]
    wrong = [
        f"delivery {delivery} is {state}, and went out {got[delivery]} times"
        for delivery, state in rows
        if got[delivery] not in _MAILED.get(state, ())
    ]
    if len(rows) != _RECIPIENTS * traffic.accepted:
        wrong.append(f"{len(rows)} deliveries of {traffic.accepted} accepted sends")
    if unknown := got.keys() - {delivery for delivery, _ in rows}:
        wrong.append(f"{len(unknown)} mails of no delivery")
    return wrong
