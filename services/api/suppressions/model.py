"""The list of addresses that a business no longer mails, as the API shows and takes it."""

import base64
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.api.sends.view import NEXT_CURSOR, Time
from shared.mail.address import Address
from shared.text import line

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
BY_HAND = "added by hand"
_LONGEST_REASON = 500

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Of a time within 4,500 years of 1970 and an address; every text of this form is a cursor.
CURSOR_FORM = (
    "^A[A-Za-f][A-Za-z0-9_-]{2}([A-Za-z0-9_-]{4}){2,150}"
    "([A-Za-z0-9_-]{4}|[A-Za-z0-9_-]{3}=|[A-Za-z0-9_-]{2}==)$"
)


def _address(value: Any) -> Address:
    if not isinstance(value, str):
        raise ValueError("should be text")  # noqa: TRY004 -- pydantic gathers ValueErrors
    return Address.parse(value)


def _reason(value: str) -> str:
    if len(value) > _LONGEST_REASON:
        raise ValueError(f"should have at most {_LONGEST_REASON} characters")
    return line(value, _LONGEST_REASON) or BY_HAND


class SuppressionBody(BaseModel):
    """An address to be put on the list by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    email: Annotated[
        Address,
        BeforeValidator(_address),
        WithJsonSchema({"type": "string", "format": "idn-email"}),
    ]
    reason: Annotated[
        str,
        AfterValidator(_reason),
        WithJsonSchema({"type": "string", "maxLength": _LONGEST_REASON}),
        Field(description="For those who read the list; line breaks become spaces."),
    ] = BY_HAND


class Suppression(BaseModel):
    """An address that gets no more mail of the business."""

    model_config = ConfigDict(frozen=True)

    email: Annotated[str, Field(description="In lower case, with its domain in ASCII.")]
    reason: Annotated[str, Field(description="Who said so, or what the mail server replied.")]
    created_at: Time


class Page(BaseModel):
    """A page of the list, newest first."""

    model_config = ConfigDict(frozen=True)

    data: tuple[Suppression, ...]
    next_cursor: Annotated[str | None, Field(description=NEXT_CURSOR)]


@dataclass(frozen=True)
class Place:
    """A place in the list, which stays the same place whatever is added later."""

    created_at: datetime
    email: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what str() wrote, or raise ValueError."""
        if not re.fullmatch(CURSOR_FORM, text):
            raise ValueError("is no cursor of this list")
        raw = base64.urlsafe_b64decode(text)
        (microseconds,) = struct.unpack(">q", raw[:8])
        # NUL, which Postgres takes in no text, stands in no address.
        email = raw[8:].decode(errors="replace").replace("\0", "")
        return cls(_EPOCH + microseconds * _MICROSECOND, email)

    def __str__(self) -> str:
        microseconds = (self.created_at - _EPOCH) // _MICROSECOND
        raw = struct.pack(">q", microseconds) + self.email.encode()
        return base64.urlsafe_b64encode(raw).decode()


class PageQuery(BaseModel):
    """Which part of the list to show: at most `limit`, newest first, from `cursor` on."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: Annotated[Place | None, BeforeValidator(Place.parse)] = None
