"""Previews of mails, made by the processes that make the mails."""

from datetime import UTC, datetime
from typing import Final, Self, TypeVar

import structlog
from aiohttp import web

from services.api.preview.draft import Draft
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message
from shared.rendering.answers import MessagePart, MessageParts
from shared.rendering.frames import Part, RenderRequest, request_frame
from shared.rendering.pool import program
from shared.rendering.spare import SpareProcesses

_log = structlog.stdlib.get_logger(__name__)
_BIG_OCTETS: Final = 200_000  # a process ends after a larger snapshot, to give its memory back
_SORRY: Final = "This preview cannot be made."
#: The sender and the recipient of a preview if there is none; RFC 2606 keeps the domain free.
_NO_SENDER: Final = "statements@preview.invalid"
_NOBODY: Final = "nobody@preview.invalid"
# Older than every snapshot: the date of a mail is the time at which its statement was made.
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)

_Made = TypeVar("_Made", MessagePart, MessageParts)


class Previews:
    """Makes previews. Whoever calls limits how many are made at once."""

    def __init__(self, mail_from: str | None, *, pdf: bool) -> None:
        """Make mails from `mail_from`, with a PDF if `pdf`."""
        self.has_pdf = pdf
        self._sender = Mailbox.parse(mail_from or _NO_SENDER)
        self._processes = SpareProcesses(program(pdf=pdf))

    async def __aenter__(self) -> Self:
        # The first process is started by the first preview.
        await self._processes.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._processes.__aexit__(*exc)

    async def part(self, draft: Draft, part: Part) -> bytes:
        """Return a part of the mail. Raises HTTPInternalServerError if it cannot be made."""
        return (await self._answer(draft, part, MessagePart)).content

    async def message(self, draft: Draft) -> bytes:
        """Return the mail to the first recipient, with the octets that SMTP would carry.

        Raises HTTPInternalServerError if it cannot be made.
        """
        message = Message(self._sender, *await self._answer(draft, None, MessageParts))
        recipient = draft.recipients[0].email if draft.recipients else _NOBODY
        return message.envelope(recipient, draft.id).data

    async def _answer(self, draft: Draft, part: Part | None, kind: type[_Made]) -> _Made:
        request = RenderRequest(
            content=draft.snapshot.content.decode(),
            message=draft.message,
            send_id=draft.id,
            sender=self._sender,
            accepted=_LONG_AGO,
            logo=draft.logo or b"",
            preview=True,
            part=part,
        )
        big = len(draft.snapshot.content) > _BIG_OCTETS
        answer = await self._processes.answer(request_frame(request), kind, big=big)
        if answer is None:
            raise web.HTTPInternalServerError(text=_SORRY)
        for flaw in answer.flaws:
            _log.warning("pdf_flawed", kind=flaw.kind, text=flaw.text)
        return answer
