"""The mail of a delivery: rendered once per send, addressed once per recipient."""

import asyncio
from collections import OrderedDict
from uuid import UUID

from services.mailer.addresses import Mailbox
from services.mailer.compositors import Compositors
from services.mailer.envelope import Envelope
from services.mailer.letter import Letter
from services.mailer.orders import Order
from services.mailer.rows import Rows
from shared.deliveries.held import Claim
from shared.unsubscribe import Links

_KEPT = 64


class Composer:
    """Composes mails from frozen statements; keeps the letters of the latest sends."""

    def __init__(
        self,
        rows: Rows,
        compositors: Compositors,
        sender: Mailbox,
        redirect_to: str | None,
        links: Links | None,
    ) -> None:
        self._rows = rows
        self._compositors = compositors
        self._sender = sender
        self._redirect_to = redirect_to
        # Whoever reads redirected mail is not the one to refuse it.
        self._links = None if redirect_to else links
        self._letters: OrderedDict[UUID, asyncio.Task[Letter]] = OrderedDict()

    @property
    def redirects(self) -> bool:
        """Whether mail goes to a staging address, whose refusals say nothing of the recipient's."""
        return self._redirect_to is not None

    async def envelope(self, claim: Claim) -> Envelope:
        """Return the mail of one claim; raises Unsendable, or what the compositors do."""
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
            if len(self._letters) > _KEPT:
                self._letters.popitem(last=False)
        try:
            # Shielded: others may wait for the same letter.
            return await asyncio.shield(task)
        except BaseException:
            self._letters.pop(claim.send_id, None)
            raise

    async def _compose(self, claim: Claim) -> Letter:
        content = await self._rows.content(claim)
        # asyncpg's UUIDs would bring asyncpg with them into the compositor.
        send_id = UUID(int=claim.send_id.int)
        order = Order(content, claim.personal_message, send_id, self._sender, claim.created_at)
        return await self._compositors.letter(order)
