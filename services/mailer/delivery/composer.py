"""The mail of a delivery: rendered once per send, addressed once per recipient."""

import asyncio
from collections import Counter, OrderedDict
from uuid import UUID

from services.mailer.delivery.claims import Rows
from shared.deliveries.worker import Claim
from shared.mail.envelope import Envelope
from shared.mail.mailbox import Mailbox
from shared.mail.message import Letter
from shared.mail.unsubscribe import Links
from shared.rendering.orders import Order
from shared.rendering.queue import Crowded, Letters, is_long

_KEPT = 64
# So long, in seconds, any number of mails of a business may wait for long statements here.
_PATIENCE = 1.0


class Composer:
    """Composes mails from frozen statements; keeps the letters of the latest sends.

    At most `most_waiting` mails of one business wait here for long, as long statements would take
    the places of all other mails.
    """

    def __init__(
        self,
        rows: Rows,
        letters: Letters,
        sender: Mailbox,
        redirect_to: str | None,
        links: Links | None,
        *,
        most_waiting: int,
    ) -> None:
        self._rows = rows
        self._making = letters
        self._sender = sender
        self._redirect_to = redirect_to
        # Whoever reads redirected mail is not the one to refuse it.
        self._links = None if redirect_to else links
        self._letters: OrderedDict[UUID, asyncio.Task[Letter]] = OrderedDict()
        self._most_waiting = most_waiting
        self._waiting: Counter[int] = Counter()
        # Sends whose letters are being made of long statements.
        self._long: set[UUID] = set()

    @property
    def redirects(self) -> bool:
        """Whether mail goes to a staging address, whose refusals say nothing of the recipient's."""
        return self._redirect_to is not None

    async def envelope(self, claim: Claim) -> Envelope:
        """Return the mail of one claim; raises Unsendable, Crowded, or what the compositors do."""
        letter = await self._letter(claim)
        return letter.to(self.recipient(claim), claim.id, self._links)

    def recipient(self, claim: Claim) -> str:
        """Return the address that the mail of a claim goes to."""
        return self._redirect_to or claim.email

    async def _letter(self, claim: Claim) -> Letter:
        task = self._letters.get(claim.send_id)
        if task is None:
            task = asyncio.create_task(self._compose(claim))
            self._letters[claim.send_id] = task
            self._forget_one()
        if not task.done():
            await self._wait(task, claim)
        try:
            # Shielded: others may wait for the same letter.
            return await asyncio.shield(task)
        except BaseException:
            self._letters.pop(claim.send_id, None)
            raise

    async def _wait(self, task: asyncio.Task[Letter], claim: Claim) -> None:
        """Wait until the letter is made; but for a few, not for long if its statement is long."""
        await asyncio.wait({task}, timeout=_PATIENCE)
        if task.done() or claim.send_id not in self._long:
            return
        if self._waiting[claim.business_id] >= self._most_waiting:
            raise Crowded("other mails of the business wait for long statements")
        self._waiting[claim.business_id] += 1
        try:
            await asyncio.wait({task})
        finally:
            self._waiting[claim.business_id] -= 1

    def _forget_one(self) -> None:
        """Forget the oldest letter that is made, if there are too many; the others are awaited."""
        if len(self._letters) > _KEPT:
            made = (send for send, task in self._letters.items() if task.done())
            if (oldest := next(made, None)) is not None:
                del self._letters[oldest]

    async def _compose(self, claim: Claim) -> Letter:
        content = await self._rows.content(claim)
        # asyncpg's UUIDs would bring asyncpg with them into the compositor.
        send_id = UUID(int=claim.send_id.int)
        order = Order(content, claim.personal_message, send_id, self._sender, claim.created_at)
        if not is_long(order):
            return await self._making.letter(claim.business_id, order)
        self._long.add(claim.send_id)
        try:
            return await self._making.letter(claim.business_id, order)
        finally:
            self._long.discard(claim.send_id)
