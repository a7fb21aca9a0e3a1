"""The logo of a statement: the hash under which it is stored, and its size in mails and PDFs."""

import base64
import re
from struct import Struct
from typing import Final

_NAMED: Final = re.compile(r'"logo_sha256"\s*:\s*(?:null|"([0-9a-f]{64})")')
_WIDTH: Final = 240  # pixels
_HEIGHT: Final = 72
# A PNG begins with a signature and the head of its first chunk, which begins with both sides.
_SIZE: Final = Struct("!16xII")


def named_logo(content: str) -> bytes | None:
    """Return the hash of the logo that a snapshot names, or None, without parsing the snapshot.

    In a JSON text, a quotation mark of a value has a backslash before it, so that no value can look
    like the key.
    """
    found = _NAMED.search(content)
    return bytes.fromhex(found[1]) if found and found[1] else None


def shown_size(png: bytes) -> tuple[int, int]:
    """Return the width and height of a PNG, made to fit in the letterhead."""
    width, height = _SIZE.unpack_from(png)
    scale = min(1, _WIDTH / width, _HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def drawing(png: bytes) -> bytes:
    """Return an SVG that shows the image alone: typst takes text for a file, and no other bytes."""
    width, height = shown_size(png)
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    ).encode()
