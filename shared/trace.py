"""W3C Trace Context: one trace id from an HTTP request to the mails that it causes."""

import re
import secrets
from collections.abc import Sequence
from typing import NamedTuple, Self

_FORM = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?",
    re.ASCII,
)
# Characters; a later version may add to the 55 of today.
_HEADER_CHARS_MAX = 512
_FLAGS = 0b11  # sampled and random, the flags defined so far; others must not be passed on


class Trace(NamedTuple):
    """A place in a trace: the trace's id and the span's, in hexadecimal digits."""

    trace_id: str
    span_id: str
    flags: int = 0

    @classmethod
    def parse(cls, traceparent: str) -> Self | None:
        """Read a `traceparent`, also of later versions, or return None if it is malformed."""
        match = _FORM.fullmatch(traceparent) if len(traceparent) <= _HEADER_CHARS_MAX else None
        if (
            match is None
            or match["version"] == "ff"
            or (match["version"] == "00" and match["more"])
        ):
            return None
        if not match["trace"].strip("0") or not match["span"].strip("0"):
            return None
        return cls(match["trace"], match["span"], int(match["flags"], 16) & _FLAGS)

    @classmethod
    def begin(cls) -> Self:
        """Return the first span of a new trace."""
        digits = secrets.token_hex(24)
        return cls(digits[:32], digits[32:])

    @classmethod
    def given(cls, headers: Sequence[str]) -> Self | None:
        """Return the caller's span; None if there is not exactly one header, or it is malformed."""
        return cls.parse(headers[0]) if len(headers) == 1 else None

    @classmethod
    def of(cls, headers: Sequence[str]) -> "Trace":
        """Return a new span: of the caller's trace, or of a new one if that has not one header."""
        parent = cls.given(headers)
        return parent.child() if parent else cls.begin()

    def child(self) -> "Trace":
        """Return a new span of the same trace."""
        return Trace(self.trace_id, secrets.token_hex(8), self.flags)

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"
