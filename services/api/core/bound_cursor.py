"""Cursors that are valid in one list only: of one business, period, order and set of filters.

A cursor holds the sort values of the row before the next page, and a digest of what it is bound to.
It is no secret and needs no signature: it only chooses among rows that its caller may read anyway.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from services.api.core.refusals import Invalid

FORM = "^[A-Za-z0-9_-]{16,4096}$"

Place = TypeVar("Place")

_CHARS_MAX = 4096
_DIGEST_BYTES = 12
_WRONG = "is not a cursor of this list with this period and these parameters"


def write(bound_to: str, place: Sequence[int | str | None]) -> str:
    """Return the cursor of the page after the row with these sort values."""
    raw = _digest(bound_to) + orjson.dumps(place)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read(text: str, bound_to: str, form: TypeAdapter[Place]) -> Place:
    """Return the sort values in a cursor, which `form` describes.

    Raises Invalid if the text is no cursor, or is bound to something else.
    """
    try:
        raw = _decoded(text)
        if raw[:_DIGEST_BYTES] != _digest(bound_to):
            raise Invalid("cursor", _WRONG)
        return form.validate_python(orjson.loads(raw[_DIGEST_BYTES:]))
    except (binascii.Error, orjson.JSONDecodeError, UnicodeError, ValidationError):
        raise Invalid("cursor", _WRONG) from None


def _decoded(text: str) -> bytes:
    if len(text) > _CHARS_MAX:
        raise Invalid("cursor", _WRONG)
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)


def _digest(bound_to: str) -> bytes:
    return hashlib.sha256(bound_to.encode()).digest()[:_DIGEST_BYTES]
