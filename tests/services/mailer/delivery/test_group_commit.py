"""Group commit: requests of many deliveries are batched."""

import asyncio
from collections.abc import Sequence

from services.mailer.delivery.group_commit import GroupCommit


class Asked:
    """Answers each item with itself, and keeps the batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        return items


async def test_an_item_that_comes_alone_is_asked_for_without_waiting() -> None:
    asked = Asked()
    asking = asyncio.create_task(GroupCommit(asked, ()).submit(1))
    for _ in range(3):
        await asyncio.sleep(0)
    assert asked.batches == [[1]]
    assert await asking == 1


async def test_items_that_come_one_after_the_other_are_asked_for_together() -> None:
    asked = Asked()
    batches = GroupCommit(asked, ())
    await batches.submit(0)
    asking = []
    for number in range(1, 10):
        asking.append(asyncio.create_task(batches.submit(number)))
        await asyncio.sleep(0)
    assert await asyncio.gather(*asking) == list(range(1, 10))
    assert asked.batches == [[0], list(range(1, 10))]


async def test_no_batch_is_larger_than_asked_for_and_all_are_answered_in_order() -> None:
    asked = Asked()
    batches = GroupCommit(asked, (), most=4)
    assert await asyncio.gather(*map(batches.submit, range(10))) == list(range(10))
    assert [len(batch) for batch in asked.batches] == [4, 4, 2]
