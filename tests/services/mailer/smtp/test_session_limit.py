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
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(places.__aenter__())
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
        async with places:
            limits.append(places.limit)
    assert limits == [6, 7, 8, 9, 10, 10, 10, 10]


async def test_who_is_refused_alone_learns_nothing() -> None:
    places = SessionLimit(10, Clock())
    async with places:
        assert not places.refused(begun=1000.0, open_sessions=0)
    assert places.limit == 10


async def test_who_gives_up_waiting_hands_its_place_on() -> None:
    places = SessionLimit(1)
    await places.__aenter__()
    first, second = (asyncio.create_task(places.__aenter__()) for _ in range(2))
    await asyncio.sleep(0)
    await places.__aexit__(None, None, None)
    first.cancel()
    async with asyncio.timeout(5):
        await second
