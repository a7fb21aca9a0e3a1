"""How a business's statements look, in requests and answers."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
)

from services.api.core import fields
from services.api.core.timestamp import Timestamp
from shared.mail.address import Address, wire_form
from shared.statements import colour
from shared.statements import pay_link as links
from shared.statements.model import Kind
from shared.text import lines, one_line

_SENDER_CHARS_MAX = 80
_HOW_TO_PAY_CHARS_MAX = 1_000
_HOW_TO_PAY_LINES_MAX = 12
_ADDRESS_CHARS_MAX = 254
_COLOUR = re.compile("#[0-9a-f]{6}")


def _text(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "null"], **schema})


class _Branding(BaseModel):
    """The fields that a business sets; each has a default."""

    accent: Annotated[
        str | None,
        _text(pattern="^#[0-9A-Fa-f]{6}$"),
        Field(
            description="The colour of names, rules and buttons, as `#rrggbb`. Its contrast with"
            " white should be at least 4.5:1. Null: Ledgerpost's green."
        ),
    ] = None
    sender_name: Annotated[
        str | None,
        _text(maxLength=_SENDER_CHARS_MAX),
        Field(description="The name from which mails come. Null: the business's name."),
    ] = None
    reply_to: Annotated[
        str | None,
        _text(format="email", maxLength=_ADDRESS_CHARS_MAX),
        Field(description="The address to which customers answer. Null: the business's own."),
    ] = None
    how_to_pay: Annotated[
        str | None,
        _text(maxLength=_HOW_TO_PAY_CHARS_MAX),
        Field(
            description="How a customer can pay: bank details, opening hours. At most 12 lines. It"
            " is part of the statement and of its verification."
        ),
    ] = None
    pay_link: Annotated[
        str | None,
        _text(maxLength=links.LONGEST),
        Field(
            description="The address of a page on which a customer can pay, with `https://`. The"
            " placeholders `{amount}`, `{currency}`, `{reference}` and `{customer_id}` may stand"
            " after the host."
        ),
    ] = None
    paper: Annotated[Literal["a4", "letter"], Field(description="The size of a PDF's pages.")] = (
        "a4"
    )
    statement_kind: Annotated[
        Kind,
        Field(
            description="What a statement lists if its send does not say so: the changes of the"
            " period, what is open at its end, or both."
        ),
    ] = "activity"
    attach_csv: Annotated[
        bool,
        Field(description="Whether mails also have the statement's lines as a CSV file."),
    ] = False


class BrandingBody(_Branding):
    """The whole branding, apart from the logo; what is missing has its default."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @field_validator("accent", "sender_name", "reply_to", "how_to_pay", "pay_link", mode="wrap")
    @classmethod
    def _checked(
        cls, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> str | None:
        # A form leaves a field out by an empty text.
        text = None if value == "" else read(value)
        return text and _CHECKS[str(info.field_name)](text)

    @field_validator("attach_csv", mode="before")
    @classmethod
    def _flag(cls, value: Any) -> bool:
        return bool(fields.flag(value))


class Logo(BaseModel):
    """The logo as it is stored, which may be smaller than the file that was given."""

    model_config = ConfigDict(frozen=True)

    sha256: Annotated[str, Field(description="SHA-256 of the PNG in hex.")]
    width: Annotated[int, Field(description="In pixels.")]
    height: Annotated[int, Field(description="In pixels.")]


class BusinessBranding(_Branding):
    """How the statements of the business look."""

    # Every answer has all fields, so that generated clients need not ask if one is there.
    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    logo: Annotated[Logo | None, Field(description="Null: mails show the business's name.")] = None
    updated_at: Annotated[
        Timestamp | None, Field(description="When it last changed; null if it never did.")
    ] = None


def _accent(text: str) -> str:
    accent = text.lower()
    if not _COLOUR.fullmatch(accent):
        raise ValueError("should be a colour written #rrggbb, such as #0b5c4d")
    ratio = colour.contrast(accent, "#ffffff")
    if ratio < colour.READABLE:
        # Cut and not rounded, so that no ratio below the limit is shown as the limit.
        shown = int(ratio * 100) / 100
        raise ValueError(
            f"has a contrast of {shown:.2f}:1 with white; it should be at least"
            f" {colour.READABLE}:1, as WCAG 2.2 asks for text"
        )
    return accent


def _sender_name(text: str) -> str | None:
    return one_line(_bounded(text, _SENDER_CHARS_MAX)) or None


def _reply_to(text: str) -> str:
    _bounded(text, _ADDRESS_CHARS_MAX)
    try:
        local, domain = wire_form(Address.parse(text).email)
    except ValueError:
        local = domain = ""
    if not local or not local.isascii():
        raise ValueError("should be an e-mail address whose part before the @ is ASCII")
    return f"{local}@{domain}"


def _how_to_pay(text: str) -> str | None:
    kept = lines(_bounded(text, _HOW_TO_PAY_CHARS_MAX))
    if len(kept) > _HOW_TO_PAY_LINES_MAX:
        raise ValueError(f"should have at most {_HOW_TO_PAY_LINES_MAX} lines")
    return "\n".join(kept) or None


def _bounded(text: str, most: int) -> str:
    if len(text) > most:
        raise ValueError(f"should have at most {most} characters")
    return text


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "accent": _accent,
    "sender_name": _sender_name,
    "reply_to": _reply_to,
    "how_to_pay": _how_to_pay,
    "pay_link": lambda text: links.parse(text).template,
}
