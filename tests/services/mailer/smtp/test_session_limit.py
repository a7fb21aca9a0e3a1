"""The mailer adapts to the number of sessions that a smarthost accepts."""

import asyncio

from services.mailer.smtp.session_limit import SessionLimit


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_burst_of_refusals_halves_once() -> None:
    clock = Clock()
    places = SessionLimit(10, clock)
    held = [places.turn(1) for _ in range(10)]
    async with asyncio.TaskGroup() as group:
        for each in held:
            group.create_task(each.__aenter__())
    clock.now += 1
    for _ in range(8):
        assert places.refused(begun=1000.0, open_sessions=0)
    assert places.limit == 5
    clock.now += 1
    assert places.refused(begun=clock.now, open_sessions=2)
    assert places.limit == 2


async def test_never_below_those_that_it_has() -> None:
    places = SessionLimit(10, Clock())
    assert places.refused(begun=1000.0, open_sessions=8)
    assert places.limit == 8


async def test_one_more_is_tried_a_minute() -> None:
    clock = Clock()
    places = SessionLimit(10, clock)
    places.refused(begun=clock.now, open_sessions=2)
    limits = []
    for _ in range(8):
        clock.now += 61
        async with places.turn(1):
            limits.append(places.limit)
    assert limits == [6, 7, 8, 9, 10, 10, 10, 10]


async def test_who_is_refused_alone_learns_nothing() -> None:
    places = SessionLimit(10, Clock())
    async with places.turn(1):
        assert not places.refused(begun=1000.0, open_sessions=0)
    assert places.limit == 10


async def test_who_gives_up_waiting_hands_its_place_on() -> None:
    places = SessionLimit(1)
    only = places.turn(1)
    await only.__aenter__()
    others = [places.turn(1) for _ in range(2)]
    first, second = (asyncio.create_task(each.__aenter__()) for each in others)
    await asyncio.sleep(0)
    await only.__aexit__(None, None, None)
    first.cancel()
    async with asyncio.timeout(180):
        await second


async def test_the_next_session_is_for_who_has_none() -> None:
    places, order = SessionLimit(2, Clock()), []
    ends = asyncio.Semaphore(0)

    async def mail(business: int) -> None:
        async with places.turn(business):
            order.append(business)
            await ends.acquire()

    async with asyncio.TaskGroup() as group:
        for business in (1, 1, 1, 1, 2):
            group.create_task(mail(business))
        await asyncio.sleep(0)
        for _ in range(5):
            ends.release()
    assert order[:3] == [1, 1, 2]


async def test_a_lower_limit_counts_for_those_that_have_sessions() -> None:
    places = SessionLimit(3, Clock())
    held = [places.turn(1) for _ in range(3)]
    for each in held:
        await each.__aenter__()
    assert places.refused(begun=1000.0, open_sessions=2)
    other = places.turn(2)
    waiting = asyncio.create_task(other.__aenter__())
    await held[0].__aexit__(None, None, None)
    await asyncio.sleep(0)
    assert not waiting.done()
    await held[1].__aexit__(None, None, None)
    await waiting
