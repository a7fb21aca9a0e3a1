"""The queue of render requests: businesses take turns, and long statements delay no others."""

import asyncio
from collections.abc import Callable
from typing import Final, Self

from shared.mail.message import Message
from shared.rendering.frames import RenderRequest
from shared.rendering.pool import RenderPool
from shared.statements.flaws import Flaw
from shared.turns import Turns

# Characters of a statement; about 570 lines, which take a second to typeset.
_LONG = 128 * 1024
# Requests that each process has at once: one with PDF may take a second, one without takes
# milliseconds.
_AHEAD_PDF: Final = 2
_AHEAD: Final = 16
# Requests with long statements that wait for one business; further ones are refused for now.
_WAITING_MAX: Final = 8


class QueueFull(RuntimeError):
    """Too many mails of the business wait for long statements: none of them is at fault."""


def is_long(request: RenderRequest) -> bool:
    """Return whether the message may take seconds to make."""
    return len(request.content) > _LONG


class RenderQueue:
    """At most `most` processes, and one more for long statements; with `pdf`, messages have one."""

    def __init__(
        self,
        most: int,
        *,
        pdf: bool,
        public_url: str | None = None,
        flawed: Callable[[Flaw], None] = lambda _: None,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        """Call `flawed` with each flaw of a PDF, and `started` at each new process, to count them.

        PDFs say that they can be verified at the `public_url` of the API.
        """
        self._short, self._long = (
            RenderPool(number, pdf=pdf, public_url=public_url, flawed=flawed, started=started)
            for number in (most, 1)
        )
        places = most * (_AHEAD_PDF if pdf else _AHEAD)
        self._turns, self._long_turns = Turns(places, places), Turns(1, 1)

    async def __aenter__(self) -> Self:
        # The process for long statements is started by the first of them.
        await self._short.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(self._short.__aexit__(*exc), self._long.__aexit__(*exc))

    @property
    def alive(self) -> int:
        """The number of processes that run."""
        return self._short.alive + self._long.alive

    async def check(self) -> None:
        """Raise NoRenderProcess if there is no process for short statements."""
        await self._short.check()

    async def message(self, business: int, request: RenderRequest) -> Message:
        """Return the message of a request, made when it is the turn of the business.

        Raises QueueFull, or what RenderPool.message raises.
        """
        if not is_long(request):
            async with self._turns.turn(business):
                return await self._short.message(request)
        if self._long_turns.waiting(business) >= _WAITING_MAX:
            raise QueueFull("other long statements of the business are being typeset")
        async with self._long_turns.turn(business):
            return await self._long.message(request)
