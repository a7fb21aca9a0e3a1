"""The parts of a MIME message: texts, files, a logo, and parts together."""

import binascii
import re
import unicodedata
from base64 import encodebytes
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote
from uuid import UUID

from shared.text import one_line

# Octets; the cache of encoded lines holds no longer ones. The longest of a style sheet has 2,700.
_LONG_LINE: Final = 4000
_NAME_CHARS_MAX: Final = 80
_UNSAFE_IN_NAMES: Final = str.maketrans({"/": "-", "\\": "-", '"': "'"})
# The HTML shows it as `<img src="cid:logo">`.
_LOGO: Final = b"""Content-Type: image/png\r
Content-Transfer-Encoding: base64\r
Content-ID: <logo>\r
Content-Disposition: inline; filename="logo.png"\r
"""


class Part(NamedTuple):
    """The header lines of a part, and its encoded content."""

    headers: bytes
    content: bytes

    def __bytes__(self) -> bytes:
        return b"%b\r\n%b" % (self.headers, self.content)


class File(NamedTuple):
    """A file for whoever reads the mail: its type, its name with suffix, and its content."""

    content_type: str
    name: str
    content: bytes


def text_part(kind: str, text: str) -> Part:
    """Return a text as quoted-printable, in lines of at most 76 characters."""
    data = text.encode("utf-8", "replace")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    headers = (
        f"Content-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
    )
    return Part(
        headers.encode(),
        b"\r\n".join(
            [_line(line) if len(line) < _LONG_LINE else _quoted(line) for line in data.split(b"\n")]
        ),
    )


def logo_part(png: bytes) -> Part:
    """Return the logo, which belongs to the HTML and is no file to save."""
    return Part(_LOGO, _base64_of_logo(png))


def file_part(file: File) -> Part:
    """Return a file to save.

    A name that is not ASCII is encoded by RFC 2231, and stands in ASCII in Content-Type, for
    programs that do not know RFC 2231. Both forms in one header are none of ours: readers differ in
    which one they believe.
    """
    name = _safe(file.name)
    typed, named = file.content_type, f'="{name}"'
    if not name.isascii():
        typed = f'{typed};\r\n name="{_in_ascii(name)}"'
        named = f"*=utf-8''{quote(name, safe='')}"
    headers = (
        f"Content-Type: {typed}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n filename{named}\r\n"
    )
    return Part(headers.encode(), _base64(file.content))


def together(kind: str, send_id: UUID, *parts: Part) -> Part:
    """Return parts as one part of type `multipart/kind`."""
    # "=_" occurs neither in quoted-printable nor in base64, so no part can hold a boundary.
    boundary = f"=_{kind}_{send_id.hex}"
    begin = f"--{boundary}\r\n".encode()
    content = (b"\r\n" + begin).join(map(bytes, parts))
    return Part(
        f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n'.encode(),
        b"%b%b\r\n--%b--\r\n" % (begin, content, boundary.encode()),
    )


def _quoted(line: bytes) -> bytes:
    return binascii.b2a_qp(line, istext=True).replace(b"\n", b"\r\n")


# Most lines of a mail come from its template, alone in their lines (shared/statements/mail.py), so
# that this cache saves most of the work.
_line = lru_cache(maxsize=2048)(_quoted)


def _base64(content: bytes) -> bytes:
    return encodebytes(content).replace(b"\n", b"\r\n")


# The mails of one business follow one another.
_base64_of_logo = lru_cache(maxsize=8)(_base64)


def _safe(name: str) -> str:
    stem, dot, suffix = one_line(name).translate(_UNSAFE_IN_NAMES).rpartition(".")
    return f"{stem[:_NAME_CHARS_MAX]}{dot}{suffix[:_NAME_CHARS_MAX]}"


def _in_ascii(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("-{2,}", "-", bare)
