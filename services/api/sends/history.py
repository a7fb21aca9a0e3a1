import base64
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar, cast, get_args
from uuid import UUID

from services.api.core.refusals import FieldError, InvalidInput
from services.api.sends.view import Send, Status

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_MAX_ID = 2**63 - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = struct.Struct(">q16s")
# Of a time within 4,500 years of 1970; every text of this form is a cursor.
CURSOR_FORM = "^A[A-Za-f][A-Za-z0-9_-]{30}$"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Cursor:
    """A place in the history, which stays the same place whatever is sent later."""

    created_at: datetime
    id: UUID

    @classmethod
    def after(cls, send: Send) -> Self:
        """Return the place right behind `send`."""
        return cls(send.created_at, send.id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what str() wrote, or raise ValueError."""
        if not re.fullmatch(CURSOR_FORM, text):
            raise ValueError("is no cursor of this history")
        microseconds, number = _CURSOR.unpack(base64.urlsafe_b64decode(text))
        return cls(_EPOCH + microseconds * _MICROSECOND, UUID(bytes=number))

    def __str__(self) -> str:
        microseconds = (self.created_at - _EPOCH) // _MICROSECOND
        return base64.urlsafe_b64encode(_CURSOR.pack(microseconds, self.id.bytes)).decode()


# Ahead of every send.
_NEWEST = Cursor(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))


# Behind every send, and so ahead of every doubt.
_OLDEST = Cursor(_EPOCH, UUID(int=0))


class _Reading:
    """Reads a query string's values one by one, and names all that are wrong at the end."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._wrong: list[FieldError] = []

    def read(self, field: str, reader: Callable[[str], Value], default: Value) -> Value:
        try:
            return reader(self._given[field]) if field in self._given else default
        except ValueError as error:
            self._wrong.append(FieldError(field, str(error)))
            return default

    def limit(self) -> int:
        return self.read("limit", lambda text: _number(text, 1, MAX_LIMIT), DEFAULT_LIMIT)

    def done(self) -> None:
        if self._wrong:
            raise InvalidInput(self._wrong)


@dataclass(frozen=True)
class HistoryQuery:
    """Which of a business's sends to list: at most `limit`, newest first, from `cursor` on."""

    customer_id: int | None = None
    status: Status | None = None
    limit: int = DEFAULT_LIMIT
    cursor: Cursor = _NEWEST

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Self:
        """Read a query string's values; InvalidInput names each that is wrong."""
        reading = _Reading(given)
        query = cls(
            reading.read("customer_id", lambda text: _number(text, 0, _MAX_ID), None),
            reading.read("status", _status, None),
            reading.limit(),
            reading.read("cursor", Cursor.parse, _NEWEST),
        )
        reading.done()
        return query


@dataclass(frozen=True)
class DoubtsQuery:
    """Which mails in doubt to list: at most `limit`, oldest first, from `cursor` on."""

    limit: int = DEFAULT_LIMIT
    cursor: Cursor = _OLDEST

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Self:
        """Read a query string's values; InvalidInput names each that is wrong."""
        reading = _Reading(given)
        query = cls(reading.limit(), reading.read("cursor", Cursor.parse, _OLDEST))
        reading.done()
        return query


def _number(text: str, least: int, most: int) -> int:
    # Python refuses to read numbers of thousands of digits, so their length is looked at first.
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_ID))
    if not is_number or not least <= int(text) <= most:
        raise ValueError(f"should be a number from {least} to {most}")
    return int(text)


def _status(text: str) -> Status:
    if text not in get_args(Status):
        raise ValueError(f"should be one of {', '.join(get_args(Status))}")
    return cast("Status", text)
