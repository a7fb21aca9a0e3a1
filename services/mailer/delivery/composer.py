"""The mail of a delivery: a message that is rendered once per send, and an envelope of its own."""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import replace
from typing import Final
from uuid import UUID

from services.mailer.delivery.claims import Claims
from services.mailer.delivery.logos import Logos
from shared.deliveries.worker import Claim
from shared.mail.dkim import Signer
from shared.mail.envelope import Envelope
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message
from shared.mail.unsubscribe import Links
from shared.rendering.frames import RenderRequest
from shared.rendering.queue import QueueFull, RenderQueue, is_long
from shared.statements.logo import named_logo

_CACHE_SIZE: Final = 64
# Seconds for which any number of mails of a business may wait here for a long statement.
_WAIT = 1.0


class Composer:
    """Makes the mails of claims from frozen statements; caches the messages of the latest sends.

    At most `most_waiting` mails of one business wait here for long, because long statements would
    take the places of all other mails.
    """

    def __init__(
        self,
        claims: Claims,
        rendering: RenderQueue,
        sender: Mailbox,
        redirect_to: str | None,
        links: Links | None,
        *,
        signer: Signer | None = None,
        most_waiting: int,
    ) -> None:
        self._claims = claims
        self._logos = Logos(claims)
        self._rendering = rendering
        # What comes back of redirected mail says nothing about its recipient.
        self._sender = replace(sender, paths=None) if redirect_to else sender
        self._redirect_to = redirect_to
        # Whoever reads redirected mail must not unsubscribe its recipient.
        self._links = None if redirect_to else links
        self._signer = signer
        self._messages: OrderedDict[UUID, asyncio.Task[Message]] = OrderedDict()
        self._most_waiting = most_waiting
        self._waiting: Counter[int] = Counter()
        # Sends whose messages are being made of long statements.
        self._long: set[UUID] = set()

    @property
    def redirects(self) -> bool:
        """Whether mail goes to a staging address, whose refusals mean nothing for the recipient."""
        return self._redirect_to is not None

    async def envelope(self, claim: Claim) -> Envelope:
        """Return the mail of one claim.

        Raises Unsendable, QueueFull, or what RenderPool.message raises.
        """
        message = await self._message(claim)
        to = self.recipient(claim)
        return message.envelope(to, claim.id, self._links, self._signer, meant_for=claim.email)

    def recipient(self, claim: Claim) -> str:
        """Return the address to which the mail of a claim goes."""
        return self._redirect_to or claim.email

    async def _message(self, claim: Claim) -> Message:
        task = self._messages.get(claim.send_id)
        if task is None:
            task = asyncio.create_task(self._render(claim))
            self._messages[claim.send_id] = task
            self._forget_one()
        if not task.done():
            await self._wait(task, claim)
        try:
            # Shielded: others may wait for the same message.
            return await asyncio.shield(task)
        except BaseException:
            self._messages.pop(claim.send_id, None)
            raise

    async def _wait(self, task: asyncio.Task[Message], claim: Claim) -> None:
        """Wait until the message is made.

        If its statement is long, only a few mails of the business may wait for long. Raises
        QueueFull for the others.
        """
        await asyncio.wait({task}, timeout=_WAIT)
        if task.done() or claim.send_id not in self._long:
            return
        if self._waiting[claim.business_id] >= self._most_waiting:
            raise QueueFull("other mails of the business wait for long statements")
        self._waiting[claim.business_id] += 1
        try:
            await asyncio.wait({task})
        finally:
            self._waiting[claim.business_id] -= 1

    def _forget_one(self) -> None:
        """Forget the oldest finished message if there are too many; mails wait for the others."""
        if len(self._messages) > _CACHE_SIZE:
            made = (send for send, task in self._messages.items() if task.done())
            if (oldest := next(made, None)) is not None:
                del self._messages[oldest]

    async def _render(self, claim: Claim) -> Message:
        content = await self._claims.content(claim)
        logo = await self._logos.read(claim.business_id, named_logo(content))
        request = RenderRequest(
            content,
            claim.personal_message,
            claim.send_id,
            self._sender,
            claim.created_at,
            logo=logo or b"",
        )
        if not is_long(request):
            return await self._rendering.message(claim.business_id, request)
        self._long.add(claim.send_id)
        try:
            return await self._rendering.message(claim.business_id, request)
        finally:
            self._long.discard(claim.send_id)
