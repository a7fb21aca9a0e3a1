"""The work of a rendering process: requests come by standard input, answers go by standard output.

It is a process of its own so that typesetting delays no hand-over, so that a crash of native code
takes nothing else with it, and so that it has a processor of its own.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, build, reply_to_address
from shared.rendering import confinement
from shared.rendering.frames import (
    TOGETHER,
    Answer,
    MessageParts,
    Ready,
    RenderingError,
    RenderRequest,
    answer_frame,
    requests_in,
)
from shared.statements.model import StatementError
from shared.statements.pdf import TypesettingError
from shared.statements.render import Rendered, Renderer
from shared.statements.wording import line

_NAME_CHARS_MAX: Final = 80  # characters of a business's name in a header
_MESSAGE_S_MAX: Final = 120  # seconds for one message
_SOON_S: Final = 0.005  # an answer waits no longer for others to be written with it
_READ_OCTETS: Final = 262_144


def serve(*, pdf: bool) -> None:
    """Write that the process is ready, then answer each request until the pipe is closed."""
    # If memory runs out, the parent is not the one to be killed.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    renderer = Renderer(pdf=pdf, reply_to=reply_to_address)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    rights = confinement.confine(renderer.fonts)
    _write(answers, [Ready(tuple(_remarks(renderer, rights)))])
    # The words of native code that panics may hold a part of somebody's statement.
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    for requests in _incoming(sys.stdin.fileno()):
        done, begun = [], time.monotonic()
        for number, request in enumerate(requests, start=1):
            done.append(_answer(renderer, request))
            late = time.monotonic() - begun > _SOON_S
            if late or len(done) == TOGETHER or number == len(requests):
                _write(answers, done)
                done, begun = [], time.monotonic()


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


def _remarks(renderer: Renderer, rights: list[str]) -> Iterator[str]:
    for right in rights:
        yield f"rendering processes have a right that they do not need: {right}"
    if uncovered := renderer.uncovered():
        yield f"no font here has letters of {', '.join(uncovered)}: PDFs show boxes for them"


def _answer(renderer: Renderer, request: RenderRequest) -> Answer:
    signal.alarm(_MESSAGE_S_MAX)  # ends the process, also in the midst of typst
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
    finally:
        signal.alarm(0)


def _incoming(pipe: int) -> Iterator[list[RenderRequest]]:
    """Yield all requests that have come, again and again, until the pipe is closed."""
    data = bytearray()
    while more := os.read(pipe, _READ_OCTETS):
        data += more
        yield list(requests_in(data))


def _write(pipe: BinaryIO, answers: Sequence[Answer]) -> None:
    pipe.write(b"".join(map(answer_frame, answers)))
    pipe.flush()
