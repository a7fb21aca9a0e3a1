"""Turns depend on the places that a business holds, never on the number that it waits for."""

import asyncio

import pytest

from shared.turns import Turns, TurnsAreOver


class _Shop:
    """Work of businesses that ends when the test says so; `begun` has it in order."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.begun: list[int] = []
        self._ends: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, *businesses: int) -> None:
        for business in businesses:
            self.tasks.append(asyncio.create_task(self._work(business)))
        await asyncio.sleep(0)

    async def finish(self, number: int) -> None:
        """End the work that was begun as this one."""
        self._ends[number].set()
        await self.settled()

    async def settled(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _work(self, business: int) -> None:
        async with self._turns.turn(business):
            self.begun.append(business)
            self._ends.append(end := asyncio.Event())
            await end.wait()


async def test_a_place_goes_to_who_holds_the_fewest() -> None:
    shop = _Shop(Turns(2, 2))
    await shop.ask(1, 1, 1, 1, 2, 2, 3)
    assert shop.begun == [1, 1]
    for number in range(5):
        await shop.finish(number)
    assert shop.begun == [1, 1, 2, 1, 3, 2, 1]


async def test_no_business_has_more_than_its_share() -> None:
    shop = _Shop(Turns(5, 2))
    await shop.ask(1, 1, 1, 1, 2)
    assert shop.begun == [1, 1, 2]
    await shop.finish(0)
    assert shop.begun == [1, 1, 2, 1]


async def test_the_last_place_is_spared_for_who_has_none() -> None:
    shop = _Shop(Turns(3, 3, spare=True))
    await shop.ask(1, 1, 1)
    assert shop.begun == [1, 1]
    await shop.ask(2, 2)
    assert shop.begun == [1, 1, 2]
    await shop.finish(0)
    assert shop.begun == [1, 1, 2]  # one is free, and each holds one by now
    await shop.finish(1)
    assert shop.begun == [1, 1, 2, 1]


async def test_who_gives_up_loses_no_place_and_keeps_none() -> None:
    shop = _Shop(Turns(1, 1))
    await shop.ask(1, 2, 2, 3)
    shop.tasks[1].cancel()
    await shop.settled()
    await shop.finish(0)
    assert shop.begun == [1, 2]
    shop.tasks[2].cancel()
    await shop.settled()
    assert shop.begun == [1, 2, 3]
    await shop.finish(2)


async def test_who_is_cancelled_as_its_turn_comes_passes_it_on() -> None:
    turns = Turns(1, 1)
    await turns.take(1)
    second, third = (asyncio.create_task(turns.take(business)) for business in (2, 3))
    await asyncio.sleep(0)
    turns.leave(1)
    second.cancel()
    await asyncio.wait_for(third, 60)


async def test_who_is_cancelled_as_a_place_becomes_free_keeps_it_from_nobody() -> None:
    turns = Turns(1, 1)
    await turns.take(1)
    second, third = (asyncio.create_task(turns.take(2)) for _ in range(2))
    await asyncio.sleep(0)
    second.cancel()
    turns.leave(1)
    await asyncio.wait_for(third, 60)
    assert second.cancelled()
    assert turns.waiting(2) == 0
    turns.leave(2)
    assert turns.take_now(3)


async def test_at_the_end_nobody_gets_a_place_and_who_has_one_keeps_it() -> None:
    turns = Turns(1, 1)
    await turns.take(1)
    waiting = asyncio.create_task(turns.take(2))
    await asyncio.sleep(0)
    turns.end()
    with pytest.raises(TurnsAreOver):
        await waiting
    with pytest.raises(TurnsAreOver):
        await turns.take(1)
    turns.leave(1)
    with pytest.raises(TurnsAreOver):
        await turns.take(3)
