"""Group commit: what many deliveries ask of Postgres at once, in one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# Seconds. Where one batch follows another so closely, it waits so long for others to join it: to
# ask for one costs Postgres and the worker about as much as to ask for ten.
_CLOSELY: Final = 0.02
_JOINING: Final = 0.001


class Batches(Generic[Item, Answer]):
    """Collects items while the batch before is at work, and answers each item for itself.

    An item that comes alone is asked for at once.

    `run` takes at most `most` items and returns their answers in the same order. Where it raises
    one of `common`, every item of the batch does; anything else is the fault of one item, so each
    is run again by itself.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        common: tuple[type[Exception], ...],
        most: int = 200,
    ) -> None:
        self._run = run
        self._common = common
        self._most = most
        self._ended = -_CLOSELY
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, item: Item) -> Answer:
        """Add `item` to the next batch and return its answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                if loop.time() - self._ended < _CLOSELY:
                    await asyncio.sleep(_JOINING)
                batch = self._waiting[: self._most]
                del self._waiting[: self._most]
                await self._answer(batch)
                self._ended = loop.time()
        finally:
            self._worker = None

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._run([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to everyone who asked
            if len(batch) > 1 and not isinstance(error, self._common):
                for one in batch:
                    await self._answer([one])
                return
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
