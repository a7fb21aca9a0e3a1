"""The answers of rendering processes as frames.

A rendering process handles hostile text with native code, so its parent trusts no answer: sizes are
bounded, every field is checked, and nothing is unpickled.
"""

from typing import Any, Final, NamedTuple

from shared.mail.message import Subject
from shared.rendering.frames import (
    BODY_OCTETS_MAX,
    FrameError,
    RenderingError,
    fields_of,
    flaw_of,
    frame,
)
from shared.statements.decoding import StatementError
from shared.statements.flaws import Flaw, TypesettingError
from shared.text import one_line

_ERROR_CHARS_MAX: Final = 8_000
_REMARK_CHARS_MAX: Final = 1_000
_REMARKS_MAX: Final = 10


class MessageParts(NamedTuple):
    """A rendered message as a process answers it. The sender is not part of the answer."""

    subject: Subject
    headers: bytes
    body: bytes
    flaws: tuple[Flaw, ...]


class MessagePart(NamedTuple):
    """One part of a message as a process answers it."""

    content: bytes
    flaws: tuple[Flaw, ...]


class ReportPdf(NamedTuple):
    """The PDF of a report as a process answers it."""

    pdf: bytes
    flaws: tuple[Flaw, ...]


class Ready(NamedTuple):
    """The first answer of a process: it has started. The remarks are for the log."""

    remarks: tuple[str, ...]


Answer = MessageParts | MessagePart | ReportPdf | Exception | Ready

_ERRORS: Final[dict[str, type[Exception]]] = {
    "statement": StatementError,
    "typesetting": TypesettingError,
    "other": RenderingError,
}


def answer_frame(answer: Answer) -> bytes:
    """Return the frame of an answer; for a message that is too large, the frame of an error."""
    head, body = _answered(answer)
    if len(body) > BODY_OCTETS_MAX:
        head, body = _answered(TypesettingError(f"it has more than {BODY_OCTETS_MAX} octets"))
    return frame(head, body)


def _answered(answer: Answer) -> tuple[dict[str, Any], bytes]:
    match answer:
        case Ready():
            return {"kind": "ready", "remarks": answer.remarks}, b""
        case MessageParts():
            return _message_head(answer), answer.body
        case MessagePart():
            return {"kind": "part", "flaws": answer.flaws}, answer.content
        case ReportPdf():
            return {"kind": "report", "flaws": answer.flaws}, answer.pdf
    kind = next(name for name, error in _ERRORS.items() if isinstance(answer, error))
    return {"kind": kind, "reason": str(answer)[-_ERROR_CHARS_MAX:]}, b""


def _message_head(parts: MessageParts) -> dict[str, Any]:
    header, copy_header, business = parts.subject
    return {
        "kind": "message",
        "headers": parts.headers.decode("ascii"),
        "subject": [header.decode("ascii"), copy_header.decode("ascii"), sorted(business)],
        "flaws": parts.flaws,
    }


def answer_in(head: bytes, body: bytes) -> Answer:
    """Return the answer of a frame. Raises FrameError if it is none of ours."""
    fields = fields_of(head)
    kind, reason, remarks = map(fields.get, ("kind", "reason", "remarks"))
    if kind == "ready" and isinstance(remarks, list):
        return Ready(
            tuple(one_line(str(one)[:_REMARK_CHARS_MAX]) for one in remarks[:_REMARKS_MAX])
        )
    if kind == "message":
        subject, headers = _subject(fields.get("subject")), _headers(fields.get("headers"))
        return MessageParts(subject, headers, body, _flaws(fields.get("flaws")))
    if kind == "part":
        return MessagePart(body, _flaws(fields.get("flaws")))
    if kind == "report":
        return ReportPdf(body, _flaws(fields.get("flaws")))
    if isinstance(kind, str) and kind in _ERRORS and isinstance(reason, str):
        reason = reason[:_ERROR_CHARS_MAX]
        return _ERRORS[kind](reason if kind == "other" else one_line(reason))
    raise FrameError("an answer of no known kind")


def _headers(value: Any) -> bytes:
    if isinstance(value, str) and value.isascii():
        return value.encode("ascii")
    raise FrameError("headers that are no ASCII text")


def _subject(value: Any) -> Subject:
    match value:
        case [header, copy_header, [*keys]] if all(isinstance(key, str) for key in keys):
            return Subject(_headers(header), _headers(copy_header), frozenset(keys))
    raise FrameError("a subject of no known form")


def _flaws(value: Any) -> tuple[Flaw, ...]:
    match value:
        case [*pairs] if len(pairs) <= _REMARKS_MAX:
            return tuple(map(flaw_of, pairs))
    raise FrameError("flaws that are no list")
