"""Texts as fields of CSV (RFC 4180), also for spreadsheet programs."""

import re
from typing import Final

#: Without it before the first line, Excel reads UTF-8 as another encoding.
BOM: Final = b"\xef\xbb\xbf"

_QUOTED: Final = re.compile(r'[",\r\n]')
# Spreadsheet programs read a text that begins so as a formula, also in full width.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def field(text: str) -> str:
    """Return a text as a field that no program calculates; an empty text is a quoted one."""
    return quoted(guarded(text))


def guarded(text: str) -> str:
    """Return the text, with an apostrophe before it if a spreadsheet program would calculate it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def quoted(text: str) -> str:
    """Return the text, in quotation marks if it needs them."""
    if text and not _QUOTED.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
