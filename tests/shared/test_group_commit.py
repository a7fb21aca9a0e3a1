"""Group commit: what many ask at once is batched."""

import asyncio
from collections.abc import Sequence

import pytest

from shared import group_commit
from shared.group_commit import GroupCommit


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


async def test_items_that_come_one_after_the_other_are_asked_for_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_commit, "_CLOSE_S", 60.0)  # for a machine that is busy
    monkeypatch.setattr(group_commit, "_JOIN_S", 0.5)
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


class Work:
    """Answers each text with itself in capitals, once it is told to go on."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go_on = asyncio.Event()

    async def __call__(self, batch: Sequence[str]) -> list[str]:
        self.batches.append(list(batch))
        await self.go_on.wait()
        if "bad" in batch:
            raise ValueError("bad")
        return [each.upper() for each in batch]


async def submitted(group: GroupCommit[str, str], texts: str) -> list[asyncio.Task[str]]:
    asking = [asyncio.create_task(group.submit(each)) for each in texts.split()]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return asking


async def test_what_waits_is_the_next_batch() -> None:
    work = Work()
    group = GroupCommit(work, (), most=3)
    first, then = await submitted(group, "a"), await submitted(group, "b c d e")
    work.go_on.set()
    assert await asyncio.gather(*first, *then) == ["A", "B", "C", "D", "E"]
    assert work.batches == [["a"], ["b", "c", "d"], ["e"]]


async def test_a_batch_says_one_thing_about_the_same() -> None:
    work = Work()
    group = GroupCommit(work, (), most=9, key=lambda text: (text[0], text[1]))
    work.go_on.set()
    answers = await asyncio.gather(*await submitted(group, "a1 a2 b1 a1 a3 a2"))
    assert answers == ["A1", "A2", "B1", "A1", "A3", "A2"]
    assert work.batches == [["a1", "b1", "a1"], ["a2", "a2"], ["a3"]]


async def test_a_common_error_is_for_its_batch_and_the_next_one_goes_on() -> None:
    work = Work()
    group = GroupCommit(work, (ValueError,), most=2)
    work.go_on.set()
    good, bad, after = await submitted(group, "good bad after")
    for each in (good, bad):
        with pytest.raises(ValueError, match="bad"):
            await each
    assert await after == "AFTER"


async def test_who_does_not_wait_any_more_takes_no_other_along() -> None:
    work = Work()
    group = GroupCommit(work, (), most=2)
    gone, stays = await submitted(group, "gone stays")
    gone.cancel()
    await asyncio.sleep(0)
    work.go_on.set()
    assert await stays == "STAYS"
