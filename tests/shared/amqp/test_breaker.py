import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.amqp import breaker as module
from shared.amqp.breaker import Breaker, Fault, Pauses
from shared.process.health import Unwell


class AtFault(Unwell):
    pass


class Refuses(Fault):
    pauses = Pauses(0.01, 0.05, trial=True)


class Probe:
    """Of a neighbour that is at fault until told otherwise."""

    def __init__(self) -> None:
        self.fault: Exception | None = AtFault("421 busy")
        self.tries = 0

    async def __call__(self) -> None:
        self.tries += 1
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    monkeypatch.setattr(module, "_PAUSES", Pauses(0.01, 0.04))
    return Probe()


@pytest.fixture
async def breaker(probe: Probe) -> AsyncIterator[Breaker]:
    breaker = Breaker("relay", probe, AtFault)
    watch = asyncio.create_task(breaker.watch())
    yield breaker
    watch.cancel()


async def closed(breaker: Breaker) -> None:
    async with asyncio.timeout(180):
        await breaker.mended()


async def tries(probe: Probe, count: int) -> None:
    async with asyncio.timeout(180):
        while probe.tries < count:
            await asyncio.sleep(0.01)


async def test_it_is_closed_and_asks_nothing_at_first(breaker: Breaker, probe: Probe) -> None:
    await closed(breaker)
    await breaker.check()
    await asyncio.sleep(0.1)
    assert probe.tries == 0


async def test_it_stays_open_for_as_long_as_the_neighbour_is_at_fault(
    breaker: Breaker, probe: Probe
) -> None:
    breaker.trip(AtFault("connection refused"))
    await asyncio.wait_for(breaker.tripped(), 60)
    with pytest.raises(Unwell, match=r"^consumption pauses: connection refused$"):
        await breaker.check()
    await tries(probe, 3)
    with pytest.raises(Unwell, match=r"^consumption pauses: 421 busy$"):
        await breaker.check()
    probe.fault = None
    await closed(breaker)
    await breaker.check()


async def test_it_opens_again(breaker: Breaker, probe: Probe) -> None:
    probe.fault = None
    for _ in range(3):
        breaker.trip(AtFault("421 busy"))
        assert breaker.reason == "421 busy"
        await closed(breaker)
        assert breaker.reason is None


async def test_a_probe_that_breaks_does_not_end_the_watch(breaker: Breaker, probe: Probe) -> None:
    probe.fault = KeyError("a mistake of ours")
    breaker.trip(AtFault("421 busy"))
    await tries(probe, 2)
    with pytest.raises(Unwell, match="the probe failed: KeyError"):
        await breaker.check()
    probe.fault = None
    await closed(breaker)


async def test_after_a_trial_fault_a_probe_proves_nothing(breaker: Breaker, probe: Probe) -> None:
    probe.fault = None
    breaker.trip(Refuses("550 no"))
    breaker.proven()  # by what was begun before
    await closed(breaker)
    assert breaker.doubt == "550 no"
    with pytest.raises(Unwell, match=r"^on trial, after: 550 no$"):
        await breaker.check()
    breaker.proven()
    await breaker.check()
    assert breaker.doubt is None


def test_pauses_grow_up_to_the_longest() -> None:
    pauses = Pauses(30, 1800)
    assert [pauses.after(failures) for failures in (0, 1, 2, 3, 7, 10_000)] == [
        *(30, 30, 60, 120, 1800, 1800)
    ]


async def test_a_fault_of_shorter_pauses_does_not_hide_one_of_longer(probe: Probe) -> None:
    breaker = Breaker("relay", probe, (AtFault, Fault))
    breaker.trip(Refuses("550 no"))
    breaker.trip(Fault("connection reset"))  # 1 s
    assert breaker.reason == "connection reset"
    breaker.trip(Refuses("551 no"))
    assert (breaker.reason, breaker.doubt) == ("connection reset", "550 no")
