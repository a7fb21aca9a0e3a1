"""Requests on the pipes to a rendering process: framed data, and no code."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import starmap
from struct import Struct
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from shared.mail.mailbox import Mailbox
from shared.statements.decoding import StatementError
from shared.statements.flaws import Flaw, TypesettingError
from shared.text import one_line

#: The sizes before each frame, in octets: of its head, which is JSON, and of its body.
SIZES: Final = Struct("!II")
#: The largest body in octets; 5,000 lines take 11 MB.
BODY_OCTETS_MAX: Final = 64 * 1024 * 1024

_HEAD_OCTETS_MAX: Final = 1024 * 1024
_FLAW_CHARS_MAX: Final = 1_000
#: At most so many answers are written together, if more requests wait.
TOGETHER: Final = 4


class RenderingError(RuntimeError):
    """A message could not be made, for a reason that is not known to lie in its statement."""


class FrameError(ValueError):
    """The data is no frame of ours; nothing after it can be read either."""


Part = Literal["text", "html", "pdf"]
"""A part of a message that can be asked for by itself."""


class RenderRequest(NamedTuple):
    """What a message is made of: a frozen statement, its sender, and when the send was `accepted`.

    With `without`, the message has no PDF: that flaw is the reason, shown in the mail. `logo` is
    the PNG that the statement names by its hash, if there is one. A `preview` is not sent; with
    `part`, the answer is only that part of it.
    """

    content: str
    message: str | None
    send_id: UUID
    sender: Mailbox
    accepted: datetime
    without: Flaw | None = None
    logo: bytes = b""
    preview: bool = False
    part: Part | None = None


class ReportRequest(NamedTuple):
    """What the PDF of a report is made of: its view as JSON, and when it is `made`."""

    view: bytes
    made: datetime


def request_frame(request: RenderRequest) -> bytes:
    """Return the frame of a request. Raises StatementError if the statement is too large."""
    body = request.logo + request.content.encode()
    if len(body) > BODY_OCTETS_MAX:
        raise StatementError(f"the statement has more than {BODY_OCTETS_MAX} octets")
    sender = request.sender
    head = {
        "message": request.message,
        "send_id": str(request.send_id),
        "sender": [sender.name, sender.local, sender.domain],
        "accepted": request.accepted.isoformat(),
        "without": request.without,
        "logo": len(request.logo),
        "preview": request.preview,
        "part": request.part,
    }
    return frame(head, body)


def report_frame(request: ReportRequest) -> bytes:
    """Return the frame of a request. Raises TypesettingError if the report is too large."""
    if len(request.view) > BODY_OCTETS_MAX:
        raise TypesettingError(f"the report has more than {BODY_OCTETS_MAX} octets")
    return frame({"made": request.made.isoformat()}, request.view)


def requests_in(data: bytearray) -> Iterator[RenderRequest]:
    """Yield the requests for messages that are complete in `data`, and remove them from it."""
    return starmap(_request, _frames_in(data))


def report_requests_in(data: bytearray) -> Iterator[ReportRequest]:
    """Yield the requests for reports that are complete in `data`, and remove them from it."""
    for head, body in _frames_in(data):
        made = datetime.fromisoformat(fields_of(head)["made"])
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


def flaw_of(value: Any) -> Flaw:
    """Return the flaw in a head. Raises FrameError if it is none."""
    match value:
        case ["missing_letters" | "replaced_text" | "no_pdf" as kind, str() as text]:
            return Flaw(kind, one_line(text[:_FLAW_CHARS_MAX]))
    raise FrameError("a flaw of no known kind")


def _request(head: bytearray, body: bytearray) -> RenderRequest:
    fields = fields_of(head)
    without, begin = fields["without"], fields["logo"]
    return RenderRequest(
        content=body[begin:].decode(),
        message=fields["message"],
        send_id=UUID(fields["send_id"]),
        sender=Mailbox(*fields["sender"]),
        accepted=datetime.fromisoformat(fields["accepted"]),
        without=None if without is None else flaw_of(without),
        logo=bytes(body[:begin]),
        preview=fields["preview"],
        part=fields["part"],
    )


def frame(fields: dict[str, Any], body: bytes = b"") -> bytes:
    """Return the frame with these fields in its head."""
    head = json.dumps(fields).encode("ascii")
    return b"".join((SIZES.pack(len(head), len(body)), head, body))


def fields_of(head: bytes | bytearray) -> dict[str, Any]:
    """Return the fields of a head. Raises FrameError if it has none."""
    try:
        fields = json.loads(head)
    except (ValueError, RecursionError):
        raise FrameError("a head that is no JSON") from None
    if not isinstance(fields, dict):
        raise FrameError("a head that is no object")
    return fields
