"""The mail of a delivery: rendered once per send, addressed once per recipient."""

import asyncio
from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from services.mailer.addresses import Mailbox
from services.mailer.envelope import Envelope
from services.mailer.letter import Letter, compose
from services.mailer.rows import Rows
from shared.deliveries.held import Claim
from shared.statement.render import Rendered, Renderer
from shared.statement.wording import line
from shared.unsubscribe import Links

_KEPT = 64
_LONGEST_NAME = 80  # characters of a business's name in a header


class Composer:
    """Composes mails from frozen statements; keeps the letters of the latest sends."""

    def __init__(
        self,
        rows: Rows,
        renderer: Renderer,
        sender: Mailbox,
        redirect_to: str | None,
        links: Links | None,
    ) -> None:
        self._rows = rows
        self._renderer = renderer
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
        """Return the mail of one claim; raises StatementError, TypesettingError or Unsendable."""
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
        rendered = await self._renderer.render(content.encode(), claim.personal_message)
        return letter_of(rendered, claim.send_id, self._sender, claim.created_at)


def letter_of(rendered: Rendered, send_id: UUID, sender: Mailbox, date: datetime) -> Letter:
    """Return the letter of a rendered statement: from its business, by way of `sender`."""
    return compose(
        send_id=send_id,
        sender=sender,
        business_name=line(rendered.business.name, limit=_LONGEST_NAME),
        reply_to=rendered.business.email,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        pdf=rendered.pdf,
        pdf_name=rendered.pdf_name,
        date=date,
    )
