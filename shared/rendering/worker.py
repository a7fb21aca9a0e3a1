"""The work of a rendering process: it makes messages of statements."""

import traceback
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, build, reply_to_address
from shared.rendering import service
from shared.rendering.frames import (
    Answer,
    MessageParts,
    RenderingError,
    RenderRequest,
    requests_in,
)
from shared.rendering.service import Service
from shared.statements.model import StatementError
from shared.statements.pdf import TypesettingError
from shared.statements.render import Rendered, Renderer
from shared.statements.wording import line

_NAME_CHARS_MAX: Final = 80  # characters of a business's name in a header


def serve(*, pdf: bool) -> None:
    """Serve requests for messages until the pipe is closed."""
    service.serve(partial(_messages, pdf=pdf))


def message(rendered: Rendered, send_id: UUID, sender: Mailbox, accepted: datetime) -> Message:
    """Return the message of a rendered statement: from its business, by way of `sender`.

    Its date is the time at which the statement was frozen, or `accepted` if that is later, because
    a resend repeats an old statement. Neither changes, so every attempt has the same date.
    """
    return build(
        send_id=send_id,
        sender=sender,
        business_name=line(rendered.business.name, limit=_NAME_CHARS_MAX),
        reply_to=rendered.reply_to,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        pdf=rendered.pdf,
        pdf_name=rendered.pdf_name,
        date=max(rendered.prepared_at, accepted),
        flaws=rendered.flaws,
    )


def _messages(*, pdf: bool) -> Service[RenderRequest]:
    renderer = Renderer(pdf=pdf, reply_to=reply_to_address)
    return Service(renderer.fonts, renderer.uncovered, requests_in, partial(_answer, renderer))


def _answer(renderer: Renderer, request: RenderRequest) -> Answer:
    try:
        rendered = renderer.render(
            request.content.encode(), request.message, without=request.without
        )
        made = message(rendered, request.send_id, request.sender, request.accepted)
        return MessageParts(made.headers, made.body, made.flaws)
    except (StatementError, TypesettingError) as error:
        return error
    except Exception:  # noqa: BLE001 - raised on the other side of the pipe
        return RenderingError(traceback.format_exc())
