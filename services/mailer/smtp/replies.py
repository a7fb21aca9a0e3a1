"""The smarthost's replies, read within bounds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.text import printable_line

LINE_OCTETS_MAX = 4096
LINES_MAX = 100
TEXT_CHARS_MAX = 500

_POSITIVE, _TRANSIENT, _PERMANENT = 2, 4, 5
CLOSING = 421
START_INPUT = 354

_LINE = re.compile(rb"([2-5]\d\d)(?!\d)(-?)(.*)", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")


class MalformedReply(ConnectionError):
    """The data from the smarthost is no SMTP reply, or longer than any."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply; `text` is a single printable line, `enhanced` its RFC 3463 code or ""."""

    code: int
    enhanced: str
    text: str

    @property
    def positive(self) -> bool:
        """2xx: positive completion."""
        return self.code // 100 == _POSITIVE

    @property
    def transient(self) -> bool:
        """4xx: transient negative completion."""
        return self.code // 100 == _TRANSIENT

    @property
    def permanent(self) -> bool:
        """5xx: permanent negative completion."""
        return self.code // 100 == _PERMANENT

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))[:TEXT_CHARS_MAX]


class ReplyReader:
    """Splits a stream of bytes into replies; never holds more than the bounds of one reply."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._code = b""
        self._lines: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yield the replies that `data` completes. After a MalformedReply nothing more is valid."""
        self._rest += data
        begin = 0
        while (end := self._rest.find(b"\n", begin)) >= 0:
            reply = self._line(bytes(self._rest[begin:end]).removesuffix(b"\r"))
            begin = end + 1
            if reply is not None:
                yield reply
        del self._rest[:begin]
        if len(self._rest) > LINE_OCTETS_MAX:
            raise MalformedReply("an endless reply line")

    def _line(self, line: bytes) -> Reply | None:
        match = _LINE.fullmatch(line)
        if match is None or len(line) > LINE_OCTETS_MAX or self._code not in {b"", match[1]}:
            raise MalformedReply("a malformed reply")
        self._code = match[1]
        self._lines.append(match[3])
        if len(self._lines) > LINES_MAX:
            raise MalformedReply("an endless reply")
        if match[2] == b"-":
            return None
        reply = _reply(int(self._code), self._lines)
        self._code, self._lines = b"", []
        return reply


def _reply(code: int, lines: list[bytes]) -> Reply:
    texts = [printable_line(line.decode("utf-8", "replace"), TEXT_CHARS_MAX) for line in lines]
    found = (_ENHANCED.match(text) for text in texts)
    enhanced = next((match[1] for match in found if match), "")
    if enhanced:
        texts = [text.removeprefix(enhanced).strip() for text in texts]
    return Reply(code, enhanced, " ".join(filter(None, texts))[:TEXT_CHARS_MAX])
