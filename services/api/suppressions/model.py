"""The suppression list of a business in requests and answers."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.api.core.paging import Cursor, PageQuery, text_cursor
from services.api.core.timestamp import Timestamp
from shared.deliveries.reasons import Code
from shared.mail.address import Address
from shared.text import printable_line

BY_HAND = "added by hand"
_LONGEST_REASON = 500


def _address(value: Any) -> Address:
    if not isinstance(value, str):
        raise ValueError("should be text")  # noqa: TRY004 -- pydantic gathers ValueErrors
    return Address.parse(value)


def _reason(value: str) -> str:
    if len(value) > _LONGEST_REASON:
        raise ValueError(f"should have at most {_LONGEST_REASON} characters")
    return printable_line(value, _LONGEST_REASON) or BY_HAND


class SuppressionBody(BaseModel):
    """An address to add to the list."""

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
        Field(description="A note for readers of the list; line breaks become spaces."),
    ] = BY_HAND


class Suppression(BaseModel):
    """An address that gets no more mail from the business."""

    model_config = ConfigDict(frozen=True)

    email: Annotated[str, Field(description="In lower case, with its domain in ASCII.")]
    reason: Annotated[
        str, Field(description="The reason given by a person, or the mail server's reply.")
    ]
    reason_code: Code
    created_at: Timestamp


@dataclass(frozen=True)
class Addressee:
    """The address of a delivery, and the business that mails it (no name: it was deleted)."""

    business_id: int
    email: str
    email_key: str
    business_name: str | None


class SuppressionsQuery(PageQuery):
    """Which page of the list to show, newest first, from `cursor` on."""

    cursor: Annotated[Cursor[str] | None, BeforeValidator(text_cursor)] = None


def place_of(listed: Suppression) -> Cursor[str]:
    """Return the cursor of the place right after `listed`."""
    return Cursor(listed.created_at, listed.email)
