"""Reads the content of a mail after DATA: keeps its beginning, and reads the rest away."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from services.mailer.returns.limits import Limits, Share

# More than a reader can hold: each piece is all that has come.
_ALL = 1 << 30
_END = b"\r\n.\r\n"


class Content(NamedTuple):
    """What was kept of a mail's content, and its size; `kept` is None if there was no memory."""

    kept: bytes | None
    size: int


class Endless(Exception):
    """The mail goes on and on far behind what a mail may have."""


async def read(
    reader: asyncio.StreamReader, limits: Limits, share: Share, heard: Callable[[], None]
) -> Content:
    """Return a mail's content without the dots that SMTP adds; `heard` is called for each piece.

    Only CR LF, dot, CR LF is its end: with any other line end a sender could smuggle a second mail
    into the first. Lines may have any length: a bounce with long ones is a bounce, too. Raises
    Endless.
    """
    # The line end of the DATA command belongs to the end of an empty mail.
    kept, last, size = bytearray(b"\r\n"), b"\r\n", 0
    is_kept = True
    while True:
        chunk = await reader.read(_ALL)
        if not chunk:
            raise ConnectionResetError
        heard()
        at = (last + chunk).find(_END)
        if at >= 0:
            # The reader is empty, so that what follows the mail gets its place back.
            end = at + len(_END) - len(last)
            reader.feed_data(chunk[end:])
            chunk = chunk[:end]
        size += len(chunk)
        piece = chunk[: max(0, limits.kept_bytes + len(_END) - len(kept))]
        is_kept = is_kept and share.take(len(piece))
        if is_kept:
            kept += piece
        else:
            kept.clear()
            share.give_back()
        if at >= 0:
            break
        if size > 2 * limits.mail_bytes:
            raise Endless
        last = (last + chunk)[1 - len(_END) :]
    size -= len(b".\r\n")
    if not is_kept:
        return Content(None, size)
    del kept[min(size, limits.kept_bytes) + len(b"\r\n") :]
    # Every dot at the begin of a line was added, or doubled, by the sender's side.
    return Content(bytes(kept.replace(b"\r\n.", b"\r\n")[len(b"\r\n") :]), size)
