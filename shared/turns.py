"""Places for concurrent work that businesses share by turns, so that none delays another."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TurnsAreOver(Exception):
    """There are no turns any more."""


class Turns:
    """`places` for concurrent work, at most `each` of them for one business.

    A free place goes to the business that holds the fewest, and among those to the one that has
    waited longest. If `spare`, the last free place is only for a business that holds none.
    """

    def __init__(self, places: int, each: int, *, spare: bool = False) -> None:
        self._free = places
        self._each = each
        self._spare = spare
        self._held: dict[int, int] = {}
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        self._over = False

    @asynccontextmanager
    async def turn(self, business: int) -> AsyncIterator[None]:
        """Wait for the business's turn, and hold a place within the `async with`.

        Raises TurnsAreOver as take() does.
        """
        await self.take(business)
        try:
            yield
        finally:
            self.leave(business)

    async def take(self, business: int) -> None:
        """Wait for a place, and hold it until leave() is called.

        Raises TurnsAreOver if end() is called before there is a place.
        """
        if self._over:
            raise TurnsAreOver
        if self.take_now(business):
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(business, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._forget(business, place)
            else:
                self.leave(business)
            raise

    def take_now(self, business: int) -> bool:
        """Take a place if one is free now, and return whether it was; leave() gives it back."""
        if business in self._waiting or not self._may(business):
            return False
        self._give(business)
        return True

    def waiting(self, business: int) -> int:
        """Return the number of waiters of the business."""
        return len(self._waiting.get(business, ()))

    def leave(self, business: int) -> None:
        """Give a place back; it goes to the business whose turn it is."""
        self._free += 1
        held = self._held.pop(business) - 1
        if held:
            self._held[business] = held
        if self._waiting:
            self._hand_out()

    def resize(self, change: int) -> None:
        """Change the number of places; those that are held stay held."""
        self._free += change
        self._hand_out()

    def end(self) -> None:
        """Give no place any more; those that are held stay held."""
        self._over = True
        for place in (place for queue in self._waiting.values() for place in queue):
            if not place.done():
                place.set_exception(TurnsAreOver)
        self._waiting.clear()

    def _may(self, business: int) -> bool:
        held = self._held.get(business, 0)
        enough = 1 if self._spare and held else 0
        return self._free > enough and held < self._each

    def _give(self, business: int) -> None:
        self._free -= 1
        self._held[business] = self._held.get(business, 0) + 1

    def _hand_out(self) -> None:
        while entitled := [business for business in self._waiting if self._may(business)]:
            business = min(entitled, key=lambda each: self._held.get(each, 0))
            queue = self._waiting.pop(business)
            place = queue.popleft()
            if not place.done():  # otherwise the waiter was just cancelled
                place.set_result(None)
                self._give(business)
            if queue:
                self._waiting[business] = queue

    def _forget(self, business: int, place: asyncio.Future[None]) -> None:
        queue = self._waiting.get(business, deque())
        if place in queue:
            queue.remove(place)
            if not queue:
                del self._waiting[business]
