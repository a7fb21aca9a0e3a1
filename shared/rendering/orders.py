"""What goes through the pipe between the mailer and a compositor: framed data, and no code.

A compositor handles hostile text with native code, so the mailer believes nothing that it answers:
sizes are bounded, every field is checked, and nothing is unpickled.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from struct import Struct
from typing import Any, Final, NamedTuple
from uuid import UUID

from shared.mail.headers import one_line
from shared.mail.mailbox import Mailbox
from shared.statements.model import StatementError
from shared.statements.pdf import TypesettingError
from shared.statements.printing import Flaw

#: What stands before each frame: the octets of its head, which is JSON, and of its body.
SIZES: Final = Struct("!II")
#: The octets that a body has at most; 5,000 lines take 11 MB.
MOST_BODY: Final = 64 * 1024 * 1024

_MOST_HEAD = 1024 * 1024
_LONGEST_ERROR = 8_000  # characters
_LONGEST_REMARK = 1_000
_MOST_REMARKS = 10


class CompositorError(RuntimeError):
    """A letter could not be made, for a reason that is not known to be its statement's."""


class Garbled(ValueError):
    """What came out of the pipe is no frame of ours; nothing after it can be read either."""


class Order(NamedTuple):
    """What a letter is made of: a frozen statement, who sends it, and when that was `accepted`.

    It has no PDF if a compositor died of that: then `without` says so.
    """

    content: str
    message: str | None
    send_id: UUID
    sender: Mailbox
    accepted: datetime
    without: Flaw | None = None


class Made(NamedTuple):
    """A letter as a compositor answers it; whom it comes from is not for a compositor to say."""

    headers: bytes
    body: bytes
    flaws: tuple[Flaw, ...]


class Ready(NamedTuple):
    """A compositor has started, with remarks for the log on what is not as it should be."""

    remarks: tuple[str, ...]


Answer = Made | Exception | Ready

_ERRORS: Final[dict[str, type[Exception]]] = {
    "statement": StatementError,
    "typesetting": TypesettingError,
    "other": CompositorError,
}


def ordered(order: Order) -> bytes:
    """Return the frame of an order. Raises StatementError if the statement is too large for one."""
    content = order.content.encode()
    if len(content) > MOST_BODY:
        raise StatementError(f"the statement has more than {MOST_BODY} octets")
    sender = order.sender
    head = {
        "message": order.message,
        "send_id": str(order.send_id),
        "sender": [sender.name, sender.local, sender.domain],
        "accepted": order.accepted.isoformat(),
        "without": order.without,
    }
    return _frame(head, content)


def answered(answer: Answer) -> bytes:
    """Return the frame of an answer; too large a letter becomes an error."""
    if isinstance(answer, Made) and len(answer.body) > MOST_BODY:
        answer = TypesettingError(f"the letter has more than {MOST_BODY} octets")
    if isinstance(answer, Ready):
        return _frame({"kind": "ready", "remarks": answer.remarks})
    if isinstance(answer, Made):
        headers = answer.headers.decode("ascii")
        return _frame({"kind": "letter", "headers": headers, "flaws": answer.flaws}, answer.body)
    kind = next(name for name, error in _ERRORS.items() if isinstance(answer, error))
    return _frame({"kind": kind, "reason": str(answer)[-_LONGEST_ERROR:]})


def orders_in(data: bytearray) -> Iterator[Order]:
    """Yield the orders that `data` begins with, and remove them from it."""
    begin = 0
    while len(data) >= begin + SIZES.size:
        head, body = sizes(data[begin : begin + SIZES.size])
        content = begin + SIZES.size + head
        if len(data) < content + body:
            break
        yield _order(data[begin + SIZES.size : content], data[content : content + body])
        begin = content + body
    del data[:begin]


def sizes(prefix: bytes | bytearray) -> tuple[int, int]:
    """Return the octets of a frame's head and body. Raises Garbled if it may not be so large."""
    head, body = SIZES.unpack(prefix)
    if head > _MOST_HEAD or body > MOST_BODY:
        raise Garbled(f"a frame of {head} and {body} octets")
    return head, body


def answer_in(head: bytes, body: bytes) -> Answer:
    """Return the answer of a frame. Raises Garbled if it is none of ours."""
    told = _told(head)
    kind, reason, headers, remarks = map(told.get, ("kind", "reason", "headers", "remarks"))
    if kind == "ready" and isinstance(remarks, list):
        return Ready(tuple(one_line(str(one)[:_LONGEST_REMARK]) for one in remarks[:_MOST_REMARKS]))
    if kind == "letter" and isinstance(headers, str) and headers.isascii():
        return Made(headers.encode("ascii"), body, _flaws(told.get("flaws")))
    if isinstance(kind, str) and kind in _ERRORS and isinstance(reason, str):
        reason = reason[:_LONGEST_ERROR]
        return _ERRORS[kind](reason if kind == "other" else one_line(reason))
    raise Garbled("an answer of no known kind")


def _flaws(told: Any) -> tuple[Flaw, ...]:
    match told:
        case [*pairs] if len(pairs) <= _MOST_REMARKS:
            return tuple(map(_flaw, pairs))
    raise Garbled("flaws that are no list")


def _flaw(told: Any) -> Flaw:
    match told:
        case ["missing_letters" | "replaced_text" | "no_pdf" as kind, str() as said]:
            return Flaw(kind, one_line(said[:_LONGEST_REMARK]))
    raise Garbled("a flaw of no known kind")


def _order(head: bytearray, body: bytearray) -> Order:
    told = _told(head)
    without = told["without"]
    return Order(
        content=body.decode(),
        message=told["message"],
        send_id=UUID(told["send_id"]),
        sender=Mailbox(*told["sender"]),
        accepted=datetime.fromisoformat(told["accepted"]),
        without=None if without is None else _flaw(without),
    )


def _frame(head: dict[str, Any], body: bytes = b"") -> bytes:
    told = json.dumps(head).encode("ascii")
    return b"".join((SIZES.pack(len(told), len(body)), told, body))


def _told(head: bytes | bytearray) -> dict[str, Any]:
    try:
        told = json.loads(head)
    except (ValueError, RecursionError):
        raise Garbled("a head that is no JSON") from None
    if not isinstance(told, dict):
        raise Garbled("a head that is no object")
    return told
