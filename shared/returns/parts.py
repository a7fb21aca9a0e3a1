"""Reads a returned mail into its parts, whatever is wrong with it, in bounded time and memory."""

import binascii
import quopri
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header
from typing import Final

#: Bytes of a returned mail that are read; what follows is ignored.
BYTES_MAX: Final = 2 * 1024 * 1024
_PARTS_MAX, _DEPTH_MAX = 50, 6
_HEADER_BYTES_MAX, _FIELDS_MAX = 64 * 1024, 300
_VALUE_CHARS_MAX = 2_000
_TEXT_CHARS_MAX = 128 * 1024

_TYPE = re.compile(r"\s*([A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+)")
# Others are no charsets of mails, and some of Python's take quadratic time.
_CHARSET = re.compile(
    "utf-8|us-ascii|iso-8859-[0-9]+|windows-[0-9]+|cp[0-9]+|koi8-[ru]|gb(2312|k|18030)|big5"
    "|euc-(jp|kr)|shift_jis|iso-2022-(jp|kr)",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)


@dataclass(frozen=True)
class Header:
    """The fields of a header, by their names in lower case; values are unfolded and decoded."""

    fields: dict[str, list[str]]

    def first(self, name: str) -> str:
        """Return the first value of a field, or an empty text."""
        return self.fields.get(name, [""])[0]

    def parameter(self, name: str, parameter: str) -> str:
        """Return a parameter of a field such as Content-Type, or an empty text."""
        form = rf"""[;\s]{parameter}\s*=\s*(?:"([^"]*)"|([^\s;"]+))"""
        found = re.search(form, self.first(name), re.IGNORECASE)
        return (found[1] or found[2] or "") if found else ""


@dataclass(frozen=True)
class Part:
    """A part without parts of its own: its media type in lower case, header and decoded text.

    `is_quoted` is whether it belongs to a mail that is enclosed in the returned one.
    """

    type: str
    header: Header
    text: str
    is_quoted: bool


@dataclass(frozen=True)
class Returned:
    """A returned mail: its own header, and its parts in order, those of enclosed mails included."""

    header: Header
    parts: tuple[Part, ...]

    def of_type(self, *types: str) -> Iterator[Part]:
        """Yield the parts of these media types that do not belong to an enclosed mail."""
        return (part for part in self.parts if part.type in types and not part.is_quoted)


def read(raw: bytes) -> Returned:
    """Return the parts of a mail. Never raises: what cannot be read counts as text."""
    header, body = _divided(_begun(raw[:BYTES_MAX]))
    found = _parts(header, body, depth=0, is_quoted=False)
    return Returned(header, tuple(part for part, _ in zip(found, range(_PARTS_MAX), strict=False)))


def header_of(raw: bytes) -> Header:
    """Return the header of a mail, as `read` does."""
    return _divided(_begun(raw[:_HEADER_BYTES_MAX]))[0]


def with_plain_ends(octets: bytes) -> bytes:
    """Return the octets with line ends of one kind."""
    return octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _begun(raw: bytes) -> bytes:
    """Return a mail from its header on, with line ends of one kind."""
    lines = with_plain_ends(raw)
    if lines.startswith((b"From ", b">From ")):  # an mbox's separator
        lines = lines.partition(b"\n")[2]
    return lines.lstrip(b"\n")


def _parts(header: Header, body: bytes, *, depth: int, is_quoted: bool) -> Iterator[Part]:
    match = _TYPE.match(header.first("content-type"))
    kind = match[1].lower() if match else "text/plain"
    boundary = header.parameter("content-type", "boundary")
    if depth < _DEPTH_MAX:
        if kind.startswith("multipart/") and boundary:
            for piece in _pieces(body, boundary.encode("utf-8", "surrogateescape")):
                yield from _parts(*_divided(piece), depth=depth + 1, is_quoted=is_quoted)
            return
        if kind in {"message/rfc822", "message/global"}:
            enclosed, text = _divided(_decoded(header, body).lstrip(b"\n"))
            yield Part(kind, enclosed, "", is_quoted)
            yield from _parts(enclosed, text, depth=depth + 1, is_quoted=True)
            return
    yield Part(kind, header, _text(header, body), is_quoted)


def _pieces(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Yield what stands between the lines of a boundary; the last piece may lack its end."""
    start = None
    for line in re.finditer(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*$", body, re.MULTILINE):
        if start is not None:
            yield body[start : max(start, line.start() - 1)]
        if line[1]:
            return
        start = line.end() + 1
    if start is not None:
        yield body[start:]


def _divided(lines: bytes) -> tuple[Header, bytes]:
    """Return the header and the body of a mail or a part."""
    if lines.startswith(b"\n"):
        return Header({}), lines[1:]
    head, _, body = lines.partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    unfolded = re.sub(rb"\n[ \t]+", b" ", head[:_HEADER_BYTES_MAX])
    last: list[str] = []
    for line in unfolded.split(b"\n")[:_FIELDS_MAX]:
        if match := _FIELD.fullmatch(line):
            last = fields.setdefault(match[1].decode("ascii").lower(), [])
            last.append(_value(match[2]))
        elif last:  # some servers fold a field without the space that should begin its next line
            last[-1] = f"{last[-1]} {_value(line)}"[:_VALUE_CHARS_MAX]
    return Header(fields), body


def _value(written: bytes) -> str:
    text = _characters(written.strip(), "")[:_VALUE_CHARS_MAX]
    if "=?" not in text:
        return text
    try:
        pieces = decode_header(text)
    except (ValueError, MessageError):  # an encoded word is malformed
        return text
    return "".join(
        piece if isinstance(piece, str) else _characters(piece, charset or "")
        for piece, charset in pieces
    )


def _decoded(header: Header, body: bytes) -> bytes:
    match header.first("content-transfer-encoding").strip().lower():
        case "base64":
            # As far as it can be read: a truncated mail has a broken end.
            signs = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
            decoded = binascii.a2b_base64(signs[: len(signs) // 4 * 4])
        case "quoted-printable":
            decoded = quopri.decodestring(body)
        case _:
            return body
    return with_plain_ends(decoded)


def _text(header: Header, body: bytes) -> str:
    charset = header.parameter("content-type", "charset")
    return _characters(_decoded(header, body)[:_TEXT_CHARS_MAX], charset)


def _characters(octets: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        if _CHARSET.fullmatch(name):
            with suppress(LookupError, ValueError):
                return octets.decode(name)
    return octets.decode("latin-1")
