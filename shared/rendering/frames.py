"""Requests and answers on the pipes to a rendering process: framed data, and no code.

A rendering process handles hostile text with native code, so its parent trusts no answer: sizes are
bounded, every field is checked, and nothing is unpickled.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import starmap
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID

from shared.mail.mailbox import Mailbox
from shared.statements.attachment import Flaw
from shared.statements.model import StatementError
from shared.statements.pdf import TypesettingError
from shared.text import one_line

#: The sizes before each frame, in octets: of its head, which is JSON, and of its body.
SIZES: Final = Struct("!II")
#: The largest body in octets; 5,000 lines take 11 MB.
BODY_OCTETS_MAX: Final = 64 * 1024 * 1024

_HEAD_OCTETS_MAX: Final = 1024 * 1024
_ERROR_CHARS_MAX: Final = 8_000
_REMARK_CHARS_MAX: Final = 1_000
#: At most so many answers are written together, if more requests wait.
TOGETHER: Final = 4
_REMARKS_MAX: Final = 10


class RenderingError(RuntimeError):
    """A message could not be made, for a reason that is not known to lie in its statement."""


class FrameError(ValueError):
    """The data is no frame of ours; nothing after it can be read either."""


class RenderRequest(NamedTuple):
    """What a message is made of: a frozen statement, its sender, and when the send was `accepted`.

    With `without`, the message has no PDF: that flaw is the reason, shown in the mail.
    """

    content: str
    message: str | None
    send_id: UUID
    sender: Mailbox
    accepted: datetime
    without: Flaw | None = None


class MessageParts(NamedTuple):
    """A rendered message as a process answers it. The sender is not part of the answer."""

    headers: bytes
    body: bytes
    flaws: tuple[Flaw, ...]


class ReportRequest(NamedTuple):
    """What the PDF of a report is made of: its view as JSON, and when it is `made`."""

    view: bytes
    made: datetime


class ReportPdf(NamedTuple):
    """The PDF of a report as a process answers it."""

    pdf: bytes
    flaws: tuple[Flaw, ...]


class Ready(NamedTuple):
    """The first answer of a process: it has started. The remarks are for the log."""

    remarks: tuple[str, ...]


Answer = MessageParts | ReportPdf | Exception | Ready

_ERRORS: Final[dict[str, type[Exception]]] = {
    "statement": StatementError,
    "typesetting": TypesettingError,
    "other": RenderingError,
}


def request_frame(request: RenderRequest) -> bytes:
    """Return the frame of a request. Raises StatementError if the statement is too large."""
    content = request.content.encode()
    if len(content) > BODY_OCTETS_MAX:
        raise StatementError(f"the statement has more than {BODY_OCTETS_MAX} octets")
    sender = request.sender
    head = {
        "message": request.message,
        "send_id": str(request.send_id),
        "sender": [sender.name, sender.local, sender.domain],
        "accepted": request.accepted.isoformat(),
        "without": request.without,
    }
    return _frame(head, content)


def report_frame(request: ReportRequest) -> bytes:
    """Return the frame of a request. Raises TypesettingError if the report is too large."""
    if len(request.view) > BODY_OCTETS_MAX:
        raise TypesettingError(f"the report has more than {BODY_OCTETS_MAX} octets")
    return _frame({"made": request.made.isoformat()}, request.view)


def answer_frame(answer: Answer) -> bytes:
    """Return the frame of an answer; for a message that is too large, the frame of an error."""
    if isinstance(answer, MessageParts) and len(answer.body) > BODY_OCTETS_MAX:
        answer = TypesettingError(f"the message has more than {BODY_OCTETS_MAX} octets")
    if isinstance(answer, ReportPdf) and len(answer.pdf) > BODY_OCTETS_MAX:
        answer = TypesettingError(f"the report has more than {BODY_OCTETS_MAX} octets")
    if isinstance(answer, Ready):
        return _frame({"kind": "ready", "remarks": answer.remarks})
    if isinstance(answer, MessageParts):
        headers = answer.headers.decode("ascii")
        return _frame({"kind": "message", "headers": headers, "flaws": answer.flaws}, answer.body)
    if isinstance(answer, ReportPdf):
        return _frame({"kind": "report", "flaws": answer.flaws}, answer.pdf)
    kind = next(name for name, error in _ERRORS.items() if isinstance(answer, error))
    return _frame({"kind": kind, "reason": str(answer)[-_ERROR_CHARS_MAX:]})


def requests_in(data: bytearray) -> Iterator[RenderRequest]:
    """Yield the requests for messages that are complete in `data`, and remove them from it."""
    return starmap(_request, _frames_in(data))


def report_requests_in(data: bytearray) -> Iterator[ReportRequest]:
    """Yield the requests for reports that are complete in `data`, and remove them from it."""
    for head, body in _frames_in(data):
        made = datetime.fromisoformat(_fields(head)["made"])
        yield ReportRequest(bytes(body), made)


def _frames_in(data: bytearray) -> Iterator[tuple[bytearray, bytearray]]:
    begin = 0
    while len(data) >= begin + SIZES.size:
        head, body = sizes(data[begin : begin + SIZES.size])
        content = begin + SIZES.size + head
        if len(data) < content + body:
            break
        yield data[begin + SIZES.size : content], data[content : content + body]
        begin = content + body
    del data[:begin]


def sizes(prefix: bytes | bytearray) -> tuple[int, int]:
    """Return the octets of a frame's head and body. Raises FrameError if they are too many."""
    head, body = SIZES.unpack(prefix)
    if head > _HEAD_OCTETS_MAX or body > BODY_OCTETS_MAX:
        raise FrameError(f"a frame of {head} and {body} octets")
    return head, body


def answer_in(head: bytes, body: bytes) -> Answer:
    """Return the answer of a frame. Raises FrameError if it is none of ours."""
    fields = _fields(head)
    kind, reason, headers, remarks = map(fields.get, ("kind", "reason", "headers", "remarks"))
    if kind == "ready" and isinstance(remarks, list):
        return Ready(
            tuple(one_line(str(one)[:_REMARK_CHARS_MAX]) for one in remarks[:_REMARKS_MAX])
        )
    if kind == "message" and isinstance(headers, str) and headers.isascii():
        return MessageParts(headers.encode("ascii"), body, _flaws(fields.get("flaws")))
    if kind == "report":
        return ReportPdf(body, _flaws(fields.get("flaws")))
    if isinstance(kind, str) and kind in _ERRORS and isinstance(reason, str):
        reason = reason[:_ERROR_CHARS_MAX]
        return _ERRORS[kind](reason if kind == "other" else one_line(reason))
    raise FrameError("an answer of no known kind")


def _flaws(value: Any) -> tuple[Flaw, ...]:
    match value:
        case [*pairs] if len(pairs) <= _REMARKS_MAX:
            return tuple(map(_flaw, pairs))
    raise FrameError("flaws that are no list")


def _flaw(value: Any) -> Flaw:
    match value:
        case ["missing_letters" | "replaced_text" | "no_pdf" as kind, str() as text]:
            return Flaw(kind, one_line(text[:_REMARK_CHARS_MAX]))
    raise FrameError("a flaw of no known kind")


def _request(head: bytearray, body: bytearray) -> RenderRequest:
    fields = _fields(head)
    without = fields["without"]
    return RenderRequest(
        content=body.decode(),
        message=fields["message"],
        send_id=UUID(fields["send_id"]),
        sender=Mailbox(*fields["sender"]),
        accepted=datetime.fromisoformat(fields["accepted"]),
        without=None if without is None else _flaw(without),
    )


def _frame(fields: dict[str, Any], body: bytes = b"") -> bytes:
    head = json.dumps(fields).encode("ascii")
    return b"".join((SIZES.pack(len(head), len(body)), head, body))


def _fields(head: bytes | bytearray) -> dict[str, Any]:
    try:
        fields = json.loads(head)
    except (ValueError, RecursionError):
        raise FrameError("a head that is no JSON") from None
    if not isinstance(fields, dict):
        raise FrameError("a head that is no object")
    return fields
