"""Checks of RabbitMQ: whether it can be reached, its version, queues, and the user's rights."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.amqp import broker, topology
from shared.amqp.probes import Probes, asking
from shared.doctor import management
from shared.doctor.checkup import Checkup
from shared.doctor.finding import Said, failure, ok, warning
from shared.doctor.management import Management

# What docs/rabbitmq.md asks for.
_OLDEST = (3, 10)
_QUEUES = (*topology.EXCHANGE_OF, topology.DEAD_LETTERS)
_EXCHANGES = (*topology.EXCHANGE_OF.values(), topology.DEAD_LETTERS, topology.EVENTS)
_DOCS = "see Queues and exchanges in docs/rabbitmq.md"


@dataclass(frozen=True)
class Needs:
    """The exchanges to which a process publishes, and the queues that it consumes.

    `longest` is how long it may hold a message of the queue of deliveries.
    """

    publishes: tuple[str, ...]
    consumes: tuple[str, ...]
    longest: timedelta | None = None


async def examine(
    checkup: Checkup, url: str, needs: Needs, management_url: str | None = None
) -> None:
    """Check RabbitMQ, on one connection; if there is none, all other checks are left out.

    With `management_url`, its HTTP API is asked as well.
    """
    opened = False
    try:
        async with asking(url) as probes:
            opened = True
            checkup.note("rabbitmq.reachable", ok("accepts connections and the password"))
            checks: dict[str, Callable[[Probes], Awaitable[Said | Sequence[Said]]]] = {
                "version": _version,
                "topology": lambda probes: _topology(probes, needs),
                "rights": lambda probes: _rights(probes, needs),
                "dead_letters": _dead_letters,
            }
            for name, ask in checks.items():
                await checkup.check(f"rabbitmq.{name}", ask(probes))
    except broker.UNAVAILABLE as error:
        if opened:
            raise
        text = (str(error) or type(error).__name__).splitlines()[0]
        checkup.note("rabbitmq.reachable", failure(text, _remedy(text)))
    if management_url is not None:
        await management.examine(checkup, Management(management_url, url), needs.longest)


async def _version(probes: Probes) -> Said:
    numbers = tuple(int(each) for each in re.findall(r"\d+", probes.version)[:2])
    found = f"RabbitMQ {probes.version}"
    if numbers < _OLDEST:
        return failure(found, f"upgrade it to RabbitMQ {'.'.join(map(str, _OLDEST))} or newer")
    return ok(found)


async def _topology(probes: Probes, needs: Needs) -> list[Said]:
    # Further databases have queues of their own.
    queues = list(dict.fromkeys((*_QUEUES, *needs.consumes)))
    findings = []
    absent = [f"queue {name}" for name in queues if await probes.queue(name) is None]
    absent += [f"exchange {name}" for name in _EXCHANGES if not await probes.has_exchange(name)]
    if absent:
        findings.append(
            warning(
                f"not there yet: {', '.join(absent)}",
                "start the relay or the mailer once with a user that may configure ^ledgerpost\\.",
            )
        )
    for name in queues:
        queue = await probes.queue(name)
        if queue is not None and queue.differs:
            findings.append(_differing(name, queue.differs))
    return findings or [ok(f"all {len(queues)} queues and {len(_EXCHANGES)} exchanges are there")]


def _differing(name: str, arguments: tuple[str, ...]) -> Said:
    if {"x-queue-type", "durable"} & set(arguments):
        return failure(
            f"{name} is no durable quorum queue",
            f"stop relays and mailers, delete the queue while it is empty, and start them; {_DOCS}",
        )
    return warning(
        f"{name} has other arguments than ours: {', '.join(arguments)}",
        f"delete the queue while it is empty and relays and mailers are stopped; {_DOCS}",
    )


async def _rights(probes: Probes, needs: Needs) -> Said:
    lacking = [
        f"write to {name}"
        for name in needs.publishes
        if await probes.has_exchange(name) and not await probes.may_publish(name)
    ]
    lacking += [
        f"read {name}"
        for name in needs.consumes
        if await probes.queue(name) is not None and not await probes.may_consume(name)
    ]
    if lacking:
        return failure(
            f"the user may not {', nor '.join(lacking)}",
            "rabbitmqctl set_permissions -p VHOST USER '' '^ledgerpost\\.' '^ledgerpost\\.'",
        )
    return ok("the user may write and read all that the process uses")


async def _dead_letters(probes: Probes) -> Said:
    queue = await probes.queue(topology.DEAD_LETTERS)
    if queue is None or queue.ready == 0:
        return ok("there are no dead letters")
    found = f"{queue.ready} dead letters wait for a person"
    remedy = "see `ledgerpost-mailer dead-letters list` and docs/dead-letters.md"
    return warning(found, remedy)


def _remedy(text: str) -> str:
    if "ACCESS_REFUSED" in text or "vhost" in text:
        return "correct user, password and vhost in AMQP_URL"
    return "start RabbitMQ, or correct host and port in AMQP_URL; see also firewalls"
