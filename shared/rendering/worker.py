"""The work of a rendering process: it makes messages of statements."""

import traceback
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, Subject, build, reply_to_address
from shared.mail.parts import File
from shared.rendering import service
from shared.rendering.answers import Answer, MessagePart, MessageParts
from shared.rendering.frames import Part, RenderingError, RenderRequest, requests_in
from shared.rendering.service import Service
from shared.statements.decoding import StatementError
from shared.statements.flaws import TypesettingError
from shared.statements.render import Rendered, Renderer
from shared.statements.wording import line

_NAME_CHARS_MAX: Final = 80  # characters of a business's name in a header


def serve(*, pdf: bool, public_url: str | None = None) -> None:
    """Serve requests for messages until the pipe is closed.

    PDFs say that they can be verified at the `public_url` of the API.
    """
    service.serve(partial(_messages, pdf=pdf, public_url=public_url))


def message(rendered: Rendered, send_id: UUID, sender: Mailbox, accepted: datetime) -> Message:
    """Return the message of a rendered statement: from its business, by way of `sender`.

    Its date is the time at which the statement was frozen, or `accepted` if that is later, because
    a resend repeats an old statement. Neither changes, so every attempt has the same date.
    """
    return build(
        send_id=send_id,
        sender=sender,
        sender_name=line(rendered.sender_name, limit=_NAME_CHARS_MAX),
        reply_to=rendered.reply_to,
        subject=Subject.of(
            rendered.subject,
            rendered.copy_subject,
            business=rendered.business.email,
            customer=rendered.customer.business_email,
        ),
        text=rendered.text,
        html=rendered.html,
        date=max(rendered.prepared_at, accepted),
        logo=rendered.logo,
        files=tuple(_files(rendered)),
        flaws=rendered.flaws,
    )


def _files(rendered: Rendered) -> Iterator[File]:
    if rendered.pdf is not None:
        yield File("application/pdf", rendered.pdf_name, rendered.pdf)
    if rendered.csv is not None:
        yield File("text/csv; charset=utf-8; header=present", rendered.csv_name, rendered.csv)


def _part(rendered: Rendered, part: Part) -> MessagePart:
    """Return a part of a message. Raises TypesettingError if it has no PDF."""
    if part != "pdf":
        text = rendered.text if part == "text" else rendered.html
        return MessagePart(text.encode(), rendered.flaws)
    if rendered.pdf is None:
        raise TypesettingError("; ".join(flaw.text for flaw in rendered.flaws) or "there is no PDF")
    return MessagePart(rendered.pdf, rendered.flaws)


def _messages(*, pdf: bool, public_url: str | None) -> Service[RenderRequest]:
    renderer = Renderer(pdf=pdf, reply_to=reply_to_address, public_url=public_url)
    return Service(renderer.fonts, renderer.uncovered, requests_in, partial(_answer, renderer))


def _answer(renderer: Renderer, request: RenderRequest) -> Answer:
    try:
        rendered = renderer.render(
            request.content.encode(),
            request.message,
            without=request.without,
            logo=request.logo or None,
            preview=request.preview,
        )
        if request.part is not None:
            return _part(rendered, request.part)
        made = message(rendered, request.send_id, request.sender, request.accepted)
        return MessageParts(made.subject, made.headers, made.body, made.flaws)
    except (StatementError, TypesettingError) as error:
        return error
    except Exception:  # noqa: BLE001 - raised on the other side of the pipe
        return RenderingError(traceback.format_exc())
