"""The suppression list of a business in requests and answers."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from services.api.core.notes import NOTE_CHARS_MAX, note_line
from services.api.core.paging import Cursor, PageQuery, text_cursor
from services.api.core.timestamp import Timestamp
from shared.deliveries.reasons import Code
from shared.mail.address import Address

BY_HAND = "added by hand"


def _address(value: Any) -> Address:
    if not isinstance(value, str):
        raise ValueError("should be text")  # noqa: TRY004 -- pydantic gathers ValueErrors
    return Address.parse(value)


def _reason(value: str) -> str:
    return note_line(value) or BY_HAND


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
        WithJsonSchema({"type": "string", "maxLength": NOTE_CHARS_MAX}),
        Field(description="A note for readers of the list; line breaks become spaces."),
    ] = BY_HAND


class LiftOptions(BaseModel):
    """Query parameters of the call that removes an address from the list."""

    model_config = ConfigDict(frozen=True)

    why: Annotated[
        str,
        AfterValidator(note_line),
        WithJsonSchema({"type": "string", "maxLength": NOTE_CHARS_MAX}),
        Field(description="Why it is mailed again; kept with the key that asked and the time."),
    ] = ""


class Suppression(BaseModel):
    """An address that gets no more mail from the business."""

    model_config = ConfigDict(frozen=True)

    email: Annotated[str, Field(description="In lower case, with its domain in ASCII.")]
    reason: Annotated[
        str, Field(description="The reason given by a person, or the mail server's reply.")
    ]
    reason_code: Code
    created_at: Timestamp


class LiftedSuppression(BaseModel):
    """An address that is mailed again: who lifted the suppression, when and why."""

    model_config = ConfigDict(frozen=True)

    email: Annotated[str, Field(description="In lower case, with its domain in ASCII.")]
    reason: Annotated[str, Field(description="The reason of the suppression.")]
    reason_code: Code
    suppressed_at: Timestamp
    lifted_at: Timestamp
    lifted_by: Annotated[
        str, Field(description="`key` and the id of the key, or `command`: an operator.")
    ]
    why: Annotated[str | None, Field(description="Why, if it was said.")]


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


def lifted_place_of(listed: LiftedSuppression) -> Cursor[str]:
    """Return the cursor of the place right after `listed`."""
    return Cursor(listed.lifted_at, listed.email)
