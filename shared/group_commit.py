"""Group commit: one round trip to Postgres for what many ask at once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# A batch that follows the previous one within 20 ms waits 1 ms for more items: a batch of ten costs
# Postgres and the worker about as much as a batch of one.
_CLOSE_S: Final = 0.02
_JOIN_S: Final = 0.001


class GroupCommit(Generic[Item, Result]):
    """Collects items while the previous batch runs, and returns to each item its own result.

    An item that comes alone is run at once.

    `run` takes at most `most` items and returns their results in the same order. If it raises one
    of `common`, so does every item of the batch. Any other error is the fault of one item, so each
    item is run again by itself.

    `key` returns what an item is about, and what it says of that: a batch has no two items that say
    different things about the same.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        common: tuple[type[Exception], ...],
        most: int = 200,
        key: Callable[[Item], tuple[Hashable, Hashable]] | None = None,
    ) -> None:
        self._run = run
        self._common = common
        self._most = most
        self._key = key
        self._ended = -_CLOSE_S
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._runner: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Add `item` to the next batch and return its result."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None:
            self._runner = asyncio.create_task(self._run_batches())
        return await future

    async def _run_batches(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                if loop.time() - self._ended < _CLOSE_S:
                    await asyncio.sleep(_JOIN_S)
                await self._run_batch(self._next_batch())
                self._ended = loop.time()
        finally:
            self._runner = None

    def _next_batch(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        if self._key is None:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            return batch
        chosen: list[tuple[Item, asyncio.Future[Result]]] = []
        left: list[tuple[Item, asyncio.Future[Result]]] = []
        said: dict[Hashable, Hashable] = {}
        for each in self._waiting:
            about, words = self._key(each[0])
            fits = len(chosen) < self._most and said.setdefault(about, words) == words
            (chosen if fits else left).append(each)
        self._waiting = left
        return chosen

    async def _run_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._run([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - raised by each item
            if len(batch) > 1 and not isinstance(error, self._common):
                for one in batch:
                    await self._run_batch([one])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
