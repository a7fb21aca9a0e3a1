"""Messages that cannot be read, and a mail that crashes every worker."""

import json
from random import Random

from shared.amqp import topology
from shared.deliveries.relay import MAX_CLAIMS
from tests.faults import queue
from tests.faults.cases import fault
from tests.faults.world import World
from tests.judge.script import Hang

_POISON = "poison@x.example"
_SPOILED = {
    "empty": "",
    "incomplete": "{}",
    "deep": "[" * 100_000,
    "half-a-character": '{"report": "\\ud800"}',
    "number": "1e400",
}
_LARGEST = 16 * 1024 * 1024  # of one message, by RabbitMQ 4's default


@fault("fault-17-unreadable-messages")
async def unreadable(world: World, rng: Random) -> None:
    noise = rng.randbytes(rng.randrange(1, 1000))
    bodies = [
        b"",
        b"{",
        noise,
        b"[" * 100_000,
        json.dumps({"type": "com.example.other.v1", "data": {}}).encode(),
        queue.wakeup("01900000-0000-7000-8000-000000000000").replace(b"com.ledgerpost", b"com.x"),
        b'{"data": "' + b"x" * (_LARGEST - 12) + b'"}',
    ]
    world.relay()
    worker = world.mailer()
    await world.send(20)
    await queue.publish(world.amqp, *bodies)
    await world.send(20, customer=5)
    await world.settled()

    async def buried() -> bool:
        return await queue.length(world.amqp, topology.DEAD_LETTERS) == len(bodies)

    await world.until(buried, "all of them among the dead letters")
    assert worker.alive
    assert await world.count("state = 'sent'") == 42


@fault("fault-17-mail-that-kills-its-worker")
async def deadly(world: World, rng: Random) -> None:
    """Every worker that reaches this recipient is killed, and another one is started."""
    deadly = world.judge.on("rcpt", Hang(), recipient=_POISON)
    world.relay(SWEEP_INTERVAL="0.2s")
    send = await world.send([_POISON, *(f"r{n}@x.example" for n in range(rng.randrange(5, 40)))])
    poisoned = f"email = '{_POISON}' AND state = 'failed'"

    async def it_strikes(times: int) -> bool:
        return deadly.met > times or bool(await world.count(poisoned))

    while not await world.count(poisoned):
        worker, struck = world.mailer(), deadly.met
        await world.until(lambda struck=struck: it_strikes(struck), "it strikes")  # type: ignore[misc]  # bound
        await world.kill_mailer(worker)
        await world.until(lambda: _is_released(world), "its row taken from the dead worker")
    world.mailer()
    await world.send(customer=5)
    await world.settled()
    shown = await world.show(send)
    failed = shown.pop(_POISON)
    assert failed["state"] == "failed"
    assert failed["reason"].startswith(f"crashed: {MAX_CLAIMS} claims")
    assert 1 < deadly.met <= MAX_CLAIMS
    # A neighbour that was past the gate at a kill is in doubt, and counted as injected.
    assert {one["state"] for one in shown.values()} <= {"sent", "in_doubt"}


async def _is_released(world: World) -> bool:
    return not await world.count(f"email = '{_POISON}' AND state = 'sending'")


@fault("fault-17-statement-that-cannot-be-mailed", *_SPOILED)
async def spoiled(world: World, rng: Random, variant: str) -> None:
    relay = world.relay()
    world_send = await world.send()
    await world.until_count("published_at IS NOT NULL", 1)
    await relay.stop()
    await world.fetch("UPDATE statements SET content = $1", _SPOILED[variant])
    world.relay(SWEEP_INTERVAL="0.2s")
    worker = world.mailer()
    await world.send(customer=5)
    await world.settled()
    [spoiled] = (await world.show(world_send)).values()
    assert spoiled["state"] == "failed"
    assert "cannot be made" in spoiled["reason"] or "crashed" in spoiled["reason"]
    assert await world.count("state = 'sent'") == 1
    assert worker.alive
