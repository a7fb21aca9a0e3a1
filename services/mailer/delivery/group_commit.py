"""Group commit: one statement to Postgres for what many deliveries need at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        common: tuple[type[Exception], ...],
        most: int = 200,
    ) -> None:
        self._run = run
        self._common = common
        self._most = most
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
                batch = self._waiting[: self._most]
                del self._waiting[: self._most]
                await self._run_batch(batch)
                self._ended = loop.time()
        finally:
            self._runner = None

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
