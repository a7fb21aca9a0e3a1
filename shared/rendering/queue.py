"""Letters, made by turns among businesses: those that take seconds hold up no others."""

import asyncio
from collections.abc import Callable
from typing import Self

from shared.mail.message import Letter
from shared.rendering.orders import Order
from shared.rendering.pool import Compositors
from shared.statements.printing import Flaw
from shared.turns import Turns

# Characters of a statement; about 570 lines, which take a second to typeset.
_LONG = 128 * 1024
# Letters given to each compositor at once: with PDF, each may take a second; without, milliseconds.
_AHEAD_PDF, _AHEAD = 2, 16
# Letters of long statements that wait for one business; others are asked for again later.
_MOST_WAITING = 8


class Crowded(RuntimeError):
    """Too many mails of the business wait for long statements: no fault of any."""


def is_long(order: Order) -> bool:
    """Return whether the letter may take seconds."""
    return len(order.content) > _LONG


class Letters:
    """At most `most` compositors, and one more for long statements; if `pdf`, letters have one."""

    def __init__(
        self, most: int, *, pdf: bool, flawed: Callable[[Flaw], None] = lambda _: None
    ) -> None:
        """Tell `flawed` of what is wrong with a PDF, to count it."""
        self._short, self._long = (
            Compositors(number, pdf=pdf, flawed=flawed) for number in (most, 1)
        )
        places = most * (_AHEAD_PDF if pdf else _AHEAD)
        self._turns, self._long_turns = Turns(places, places), Turns(1, 1)

    async def __aenter__(self) -> Self:
        # The other is started when there is a long statement.
        await self._short.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(self._short.__aexit__(*exc), self._long.__aexit__(*exc))

    async def check(self) -> None:
        """Raise if there is no compositor, for the health report."""
        await self._short.check()

    async def letter(self, business: int, order: Order) -> Letter:
        """Make a letter when it is the turn of the business.

        Raises Crowded, or what the compositors do.
        """
        if not is_long(order):
            async with self._turns.turn(business):
                return await self._short.letter(order)
        if self._long_turns.waiting(business) >= _MOST_WAITING:
            raise Crowded("other long statements of the business are being typeset")
        async with self._long_turns.turn(business):
            return await self._long.letter(order)
