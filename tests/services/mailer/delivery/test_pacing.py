import asyncio

import pytest

from services.mailer.delivery import pacing
from services.mailer.delivery.pacing import Later, Pacing


class Clock:
    """A clock that advances only while a task sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing.asyncio, "sleep", clock.sleep)
    return clock


async def test_without_a_rate_nobody_waits(clock: Clock) -> None:
    free = Pacing(None, None, 10, clock)
    assert [await free.turn("a@x.com") for _ in range(100)] == [None] * 100
    assert clock.now == 1000


async def test_turns_of_the_smarthost_lie_apart_whatever_the_domain(clock: Clock) -> None:
    paced, times = Pacing(4, None, 10, clock), []
    for number in range(9):
        assert await paced.turn(f"a@x{number}.com") is None
        times.append(clock.now - 1000)
    assert times == [number / 4 for number in range(9)]


async def test_a_domain_waits_for_itself_alone_and_in_any_spelling(clock: Clock) -> None:
    paced = Pacing(None, 1, 10, clock)
    assert await paced.turn("a@exämple.com") is None
    assert await paced.turn("a@x.com") is None
    assert clock.now == 1000
    assert await paced.turn("b@XN--EXMPLE-cua.com") is None
    assert clock.now == 1001


async def test_who_would_wait_long_is_put_off_turn_by_turn(clock: Clock) -> None:
    paced = Pacing(None, 0.1, 10, clock)
    assert await paced.turn("a@x.com") is None
    later = [await paced.turn("b@x.com") for _ in range(3)]
    assert all(isinstance(each, Later) for each in later)
    assert [each.delay.total_seconds() for each in later if each] == [10, 20, 30]
    assert {each.reason for each in later if each} == {"waits for the rate of x.com"}
    for _ in range(3):
        clock.now += 10
        assert await paced.turn("b@x.com") is None  # whoever was put off has a turn in time
    assert await paced.turn("c@y.com") is None


async def test_a_slow_domain_leaves_the_smarthost_to_the_others(clock: Clock) -> None:
    paced = Pacing(100, 1, 10, clock)
    assert await paced.turn("a@slow.com") is None
    waiting = asyncio.create_task(paced.turn("b@slow.com"))
    begun = clock.now
    assert await paced.turn("a@x.com") is None
    assert clock.now - begun < 0.1
    assert await waiting is None


async def test_few_wait_for_their_domain_and_all_others_pass(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def sleep(_: float) -> None:
        await over.wait()

    monkeypatch.setattr(pacing.asyncio, "sleep", sleep)
    paced = Pacing(None, 4, 2, clock)
    assert await paced.turn("a@slow.com") is None
    waiting = [asyncio.ensure_future(paced.turn("b@slow.com")) for _ in range(4)]
    while sum(each.done() for each in waiting) < 2:
        await asyncio.wait(waiting, timeout=0.01)
    put_off = [each.result() for each in waiting if each.done()]
    assert [later.delay.total_seconds() for later in put_off if later] == [0.75, 1]
    assert await paced.turn("a@x.com") is None
    over.set()
    assert (await asyncio.gather(*waiting)).count(None) == 2
    clock.now += 0.5
    assert await paced.turn("b@slow.com") is None


async def test_a_long_line_comes_back_soon_enough_for_a_new_rate(clock: Clock) -> None:
    paced = Pacing(0.5, None, 10, clock)
    await paced.turn("a@x.com")
    delays = []
    for _ in range(5000):
        later = await paced.turn("a@x.com")
        assert later is not None
        delays.append(later.delay.total_seconds())
    assert delays[:3] == [2, 4, 6]
    assert max(delays) == pacing._DELAY_S_MAX
    assert min(delays[450:]) >= pacing._DELAY_S_MAX / 2
    # What was never booked does not keep later ones waiting.
    clock.now += 2 * pacing._DELAY_S_MAX
    assert await paced.turn("a@x.com") is None
    later = await paced.turn("a@x.com")
    assert later is not None
    assert later.delay.total_seconds() == 2


async def test_quiet_domains_are_forgotten_and_busy_ones_are_not(clock: Clock) -> None:
    paced = Pacing(None, 0.001, 10, clock)
    for number in range(pacing._DOMAINS_MAX):
        await paced.turn(f"a@x{number}.com")
    clock.now += 2000
    await paced.turn("a@x0.com")
    await paced.turn("a@new.com")
    assert set(paced._domains) == {"x0.com", "new.com"}
    assert isinstance(await paced.turn("a@x0.com"), Later)


async def test_what_is_no_address_needs_no_turn(clock: Clock) -> None:
    paced = Pacing(None, 0.001, 10, clock)
    assert [await paced.turn("call me") for _ in range(3)] == [None] * 3
