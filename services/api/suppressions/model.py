"""The list of addresses that a business no longer mails, as the API shows and takes it."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.api.core.paging import Cursor, PageQuery, text_cursor
from services.api.core.timestamp import Timestamp
from shared.mail.address import Address
from shared.text import line

BY_HAND = "added by hand"
_LONGEST_REASON = 500


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
    created_at: Timestamp


class SuppressionsQuery(PageQuery):
    """Which part of the list to show, newest first, from `cursor` on."""

    cursor: Annotated[Cursor[str] | None, BeforeValidator(text_cursor)] = None


def place_of(listed: Suppression) -> Cursor[str]:
    """Return the place in the list right behind `listed`."""
    return Cursor(listed.created_at, listed.email)
