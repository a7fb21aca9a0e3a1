import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest

from services.mailer.delivery import pacing
from services.mailer.delivery.pacing import Later, Pacing


class Clock:
    """A clock that advances only while tasks sleep: to the end of the shortest sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._ends: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self._ends.append(end := self.now + seconds)
        idle = 0
        while idle < 10:  # until nobody else has anything to do at this moment
            await asyncio.sleep(0)
            idle = idle + 1 if min(self._ends) == end else 0
        self._ends.remove(end)
        self.now = max(self.now, end)


def _slept(monkeypatch: pytest.MonkeyPatch, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Give `sleep` to the module alone: connections of other tests sleep in the same loop."""
    monkeypatch.setattr(pacing, "asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": sleep}))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    _slept(monkeypatch, clock.sleep)
    return clock


async def test_without_a_rate_nobody_waits(clock: Clock) -> None:
    free = Pacing(None, None, 10, clock)
    assert [await free.turn(1, "a@x.com") for _ in range(100)] == [None] * 100
    assert clock.now == 1000


async def test_turns_of_the_smarthost_lie_apart_whatever_the_domain(clock: Clock) -> None:
    paced, times = Pacing(4, None, 10, clock), []
    for number in range(9):
        assert await paced.turn(1, f"a@x{number}.com") is None
        times.append(clock.now - 1000)
    assert times == [number / 4 for number in range(9)]


async def test_a_domain_waits_for_itself_alone_and_in_any_spelling(clock: Clock) -> None:
    paced = Pacing(None, 1, 10, clock)
    assert await paced.turn(1, "a@exämple.com") is None
    assert await paced.turn(1, "a@x.com") is None
    assert clock.now == 1000
    assert await paced.turn(1, "b@XN--EXMPLE-cua.com") is None
    assert clock.now == 1001


async def test_who_would_wait_long_is_put_off_turn_by_turn(clock: Clock) -> None:
    paced = Pacing(None, 0.1, 10, clock)
    assert await paced.turn(1, "a@x.com") is None
    later = [await paced.turn(1, "b@x.com") for _ in range(3)]
    assert all(isinstance(each, Later) for each in later)
    assert [each.delay.total_seconds() for each in later if each] == [10, 20, 30]
    assert {each.reason for each in later if each} == {"waits for the rate of x.com"}
    for _ in range(3):
        clock.now += 10
        assert await paced.turn(1, "b@x.com") is None  # whoever was put off has a turn in time
    assert await paced.turn(1, "c@y.com") is None


async def test_a_slow_domain_leaves_the_smarthost_to_the_others(clock: Clock) -> None:
    paced = Pacing(100, 1, 10, clock)
    assert await paced.turn(1, "a@slow.com") is None
    waiting = asyncio.create_task(paced.turn(1, "b@slow.com"))
    begun = clock.now
    assert await paced.turn(1, "a@x.com") is None
    assert clock.now - begun < 0.1
    assert await waiting is None


async def test_few_wait_for_their_domain_and_all_others_pass(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def sleep(_: float) -> None:
        await over.wait()

    _slept(monkeypatch, sleep)
    paced = Pacing(None, 4, 2, clock)
    assert await paced.turn(1, "a@slow.com") is None
    waiting = [asyncio.ensure_future(paced.turn(1, "b@slow.com")) for _ in range(4)]
    while sum(each.done() for each in waiting) < 3:
        await asyncio.wait(waiting, timeout=0.01)
    put_off = [each.result() for each in waiting if each.done()]
    assert [later.delay.total_seconds() for later in put_off if later] == [0.5, 0.75, 1]
    other = asyncio.ensure_future(paced.turn(2, "c@slow.com"))
    assert not (await asyncio.wait([other], timeout=0.01))[0]  # the last place is not for the first
    assert await paced.turn(1, "a@x.com") is None
    over.set()
    assert (await asyncio.gather(*waiting, other)).count(None) == 2
    clock.now += 0.5
    assert await paced.turn(1, "b@slow.com") is None


async def test_a_long_line_comes_back_soon_enough_for_a_new_rate(clock: Clock) -> None:
    paced = Pacing(0.5, None, 10, clock)
    await paced.turn(1, "a@x.com")
    delays = []
    for _ in range(5000):
        later = await paced.turn(1, "a@x.com")
        assert later is not None
        delays.append(later.delay.total_seconds())
    assert delays[:3] == [2, 4, 6]
    assert max(delays) == pacing._DELAY_S_MAX
    assert min(delays[450:]) >= pacing._DELAY_S_MAX / 2
    # What was never booked does not keep later ones waiting.
    clock.now += 2 * pacing._DELAY_S_MAX
    assert await paced.turn(1, "a@x.com") is None
    later = await paced.turn(1, "a@x.com")
    assert later is not None
    assert later.delay.total_seconds() == 2


async def test_quiet_domains_are_forgotten_and_busy_ones_are_not(clock: Clock) -> None:
    paced = Pacing(None, 0.001, 10, clock)
    for number in range(pacing._DOMAINS_MAX):
        await paced.turn(1, f"a@x{number}.com")
    clock.now += 2000
    await paced.turn(1, "a@x0.com")
    await paced.turn(1, "a@new.com")
    assert set(paced._domains) == {"x0.com", "new.com"}
    assert isinstance(await paced.turn(1, "a@x0.com"), Later)


async def test_what_is_no_address_needs_no_turn(clock: Clock) -> None:
    paced = Pacing(None, 0.001, 10, clock)
    assert [await paced.turn(1, "call me") for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(("smarthost", "domain"), [(10, None), (None, 10)])
async def test_who_has_one_mail_waits_for_one_of_who_has_many(
    clock: Clock, smarthost: float | None, domain: float | None
) -> None:
    paced, order = Pacing(smarthost, domain, 100, clock), []

    async def mail(business: int) -> None:
        assert await paced.turn(business, "a@x.com") is None
        order.append(business)

    many = [asyncio.create_task(mail(1)) for _ in range(10)]
    await asyncio.sleep(0)
    few = [asyncio.create_task(mail(business)) for business in (2, 3, 2)]
    await asyncio.gather(*many, *few)
    assert order[:6] == [1, 1, 2, 3, 1, 2]


async def test_a_long_line_of_one_business_books_no_turn_of_another(clock: Clock) -> None:
    paced = Pacing(0.5, None, 10, clock)
    delays = [await _delay(paced, 1) for _ in range(300)]
    assert delays[-1] > 500
    assert [await _delay(paced, 2) for _ in range(3)] == [2, 6, 10]
    # From now on both have every second turn.
    assert await _delay(paced, 1) == delays[-1] + 2
    assert await _delay(paced, 1) == delays[-1] + 6


async def test_mails_that_were_put_off_go_out_by_turns(clock: Clock) -> None:
    """One mail of a business that comes among 200 of another, at a rate too low to wait here."""
    paced = Pacing(0.5, None, 10, clock)
    due, order = [(clock.now, 1)] * 200 + [(clock.now + 20, 2)], []
    while due:
        due.sort()
        moment, business = due.pop(0)
        clock.now = max(clock.now, moment)
        if later := await paced.turn(business, "a@x.com"):
            due.append((clock.now + later.delay.total_seconds(), business))
        else:
            order.append(business)
    assert len(order) == 201
    assert order.index(2) < 15


async def _delay(paced: Pacing, business: int) -> float:
    later = await paced.turn(business, "a@x.com")
    return later.delay.total_seconds() if later else 0
