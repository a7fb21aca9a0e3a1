"""A process that makes letters: orders come in by its standard input, letters go out by its output.

Apart from the mailer's own, so that typesetting neither holds up a hand-over nor, where it dies of
a statement, takes the mailer with it; and so that it has a core of its own.
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
from shared.mail.message import Letter, compose, usable
from shared.rendering import confinement
from shared.rendering.orders import Answer, CompositorError, Made, Order, Ready, answered, orders_in
from shared.statements.model import StatementError
from shared.statements.pdf import TypesettingError
from shared.statements.render import Rendered, Renderer
from shared.statements.wording import line

#: So many letters at most are handed over together, where more orders wait.
TOGETHER: Final = 4

_LONGEST_NAME = 80  # characters of a business's name in a header
_LIMIT = 120  # seconds for one letter
_SOON = 0.005  # seconds after which a letter waits for no other to go with it
_MOST = 262_144  # octets read at once


def work(*, pdf: bool) -> None:
    """Answer when ready, then each order with its letter or an error, until the pipe is closed."""
    # Where memory runs out, it is not the mailer that has to go.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whoever prints must not garble them
    renderer = Renderer(pdf=pdf, reply_to=usable)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = confinement.confine(renderer.fonts)
    _write(answers, [Ready(tuple(_remarks(renderer, kept)))])
    # What native code says as it panics may hold a part of somebody's statement.
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    for orders in _incoming(sys.stdin.fileno()):
        made, begun = [], time.monotonic()
        for number, order in enumerate(orders, start=1):
            made.append(_answer(renderer, order))
            late = time.monotonic() - begun > _SOON
            if late or len(made) == TOGETHER or number == len(orders):
                _write(answers, made)
                made, begun = [], time.monotonic()


def letter(rendered: Rendered, send_id: UUID, sender: Mailbox, accepted: datetime) -> Letter:
    """Return the letter of a rendered statement: from its business, by way of `sender`.

    It is dated when its statement was frozen, and never earlier than its send was `accepted`: a
    send once more repeats an old statement. Neither changes, so every attempt has the same date.
    """
    return compose(
        send_id=send_id,
        sender=sender,
        business_name=line(rendered.business.name, limit=_LONGEST_NAME),
        reply_to=rendered.reply_to,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        pdf=rendered.pdf,
        pdf_name=rendered.pdf_name,
        date=max(rendered.prepared_at, accepted),
        flaws=rendered.flaws,
    )


def _remarks(renderer: Renderer, kept: list[str]) -> Iterator[str]:
    for right in kept:
        yield f"compositors keep a right that they do not need: {right}"
    if uncovered := renderer.uncovered():
        yield f"no font here has letters of {', '.join(uncovered)}: PDFs show boxes for them"


def _answer(renderer: Renderer, order: Order) -> Answer:
    signal.alarm(_LIMIT)  # ends the process, also in the midst of typst
    try:
        rendered = renderer.render(order.content.encode(), order.message, without=order.without)
        made = letter(rendered, order.send_id, order.sender, order.accepted)
        return Made(made.headers, made.body, made.flaws)
    except (StatementError, TypesettingError) as error:
        return error
    except Exception:  # noqa: BLE001 - raised on the other side of the pipe
        return CompositorError(traceback.format_exc())
    finally:
        signal.alarm(0)


def _incoming(pipe: int) -> Iterator[list[Order]]:
    """Yield the orders that have come, all there are, until the pipe is closed."""
    data = bytearray()
    while more := os.read(pipe, _MOST):
        data += more
        yield list(orders_in(data))


def _write(answers: BinaryIO, made: Sequence[Answer]) -> None:
    answers.write(b"".join(map(answered, made)))
    answers.flush()
