"""The list of addresses that a business no longer mails, as the API shows and takes it."""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.api.sends.addresses import Address
from services.api.sends.view import NEXT_CURSOR, Time

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_LONGEST_REASON = 500
_LONGEST_PLACE = 1001  # far more than any address makes, and never the length of Base64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _address(value: Any) -> Address:
    if not isinstance(value, str):
        raise ValueError("should be text")  # noqa: TRY004 -- pydantic gathers ValueErrors
    return Address.parse(value)


def _reason(value: str) -> str:
    line = value.strip()
    if not line.isprintable() or not 1 <= len(line) <= _LONGEST_REASON:
        raise ValueError(f"should be one line of at most {_LONGEST_REASON} characters")
    return line


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
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST_REASON}),
        Field(description="One line, for those who read the list."),
    ] = "added by hand"


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
        try:
            # What is longer than any is cut off, and so no Base64 of a place any more.
            raw = base64.b64decode(text[:_LONGEST_PLACE], altchars=b"-_", validate=True)
            (microseconds,) = struct.unpack(">q", raw[:8])
            # NUL, which Postgres takes in no text, stands in no address.
            email = raw[8:].decode().replace("\0", "")
            return cls(_EPOCH + microseconds * _MICROSECOND, email)
        except (binascii.Error, struct.error, OverflowError, ValueError):
            raise ValueError("is no cursor of this list") from None

    def __str__(self) -> str:
        microseconds = (self.created_at - _EPOCH) // _MICROSECOND
        raw = struct.pack(">q", microseconds) + self.email.encode()
        return base64.urlsafe_b64encode(raw).decode()


class PageQuery(BaseModel):
    """Which part of the list to show: at most `limit`, newest first, from `cursor` on."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: Annotated[Place | None, BeforeValidator(Place.parse)] = None
