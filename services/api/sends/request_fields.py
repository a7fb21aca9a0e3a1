"""Validators for the fields of a send request, from JSON or a form. They raise ValueError."""

import re
from datetime import date, datetime
from typing import Any

from services.api.core import day_or_time, fields
from shared import language_tag
from shared.mail.address import Address

_MAX_MESSAGE = 10_000  # characters
# Far above the limit on recipients, so that repetitions in a list do no harm, and below the limit
# on the fields of a form, so that a form can name as many as JSON.
MAX_ADDRESSES = 900
_MAX_WRITTEN = 64 * 1024  # characters of all addresses together


def text(value: str | None) -> str | None:
    """Return plain text with a line feed between its lines, or None if it is empty."""
    if value is None:
        return None
    # A CR LF counts as one character.
    if len(value) > 2 * _MAX_MESSAGE:
        raise ValueError(f"should have at most {_MAX_MESSAGE} characters")
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    if len(lines) > _MAX_MESSAGE:
        raise ValueError(f"should have at most {_MAX_MESSAGE} characters")
    if "\0" in lines:
        raise ValueError("should not contain a NUL character")
    try:
        lines.encode()
    except UnicodeEncodeError:
        raise ValueError("contains an unpaired surrogate") from None
    return lines or None


def given(value: Any) -> Any:
    """Return a value, or None for "", which is an absent field of a form."""
    return None if fields.is_absent(value) else value


def locale(value: str | None) -> str | None:
    """Return a language tag as it is written, or None."""
    if value is not None and not re.fullmatch(language_tag.FORM, value):
        raise ValueError("should be a language tag (BCP 47), such as en, pt-BR or zh-Hant")
    return value


def addresses(value: Any) -> tuple[Address, ...]:
    """Return the addresses in a list, or in a string with commas or semicolons, each once."""
    if value is None:
        return ()
    texts = _listed(value)
    if len(texts) > MAX_ADDRESSES:
        raise ValueError(f"should have at most {MAX_ADDRESSES} addresses")
    if sum(len(each) for each in texts if isinstance(each, str)) > _MAX_WRITTEN:
        raise ValueError(f"should have at most {_MAX_WRITTEN} characters")
    found: dict[str, Address] = {}
    for number, each in enumerate(texts, start=1):
        address = _address(number, each)
        found.setdefault(address.key, address)
    return tuple(found.values())


def _listed(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        raise ValueError("should be a list of addresses, or one string with commas between them")  # noqa: TRY004 -- pydantic gathers ValueErrors
    if len(value) > _MAX_WRITTEN:
        raise ValueError(f"should have at most {_MAX_WRITTEN} characters")
    return [part for part in re.split("[,;]", value) if part.strip(" \t")]


def some_addresses(value: Any) -> tuple[Address, ...] | None:
    """Return the addresses in a list or string, or None. Raises ValueError if the list is empty.

    An empty list is not taken for None, because None means all recipients.
    """
    found = addresses(value)
    if value is not None and not found:
        raise ValueError("should name at least one address")
    return found or None


def flag_or_moment(value: Any) -> bool | date | datetime | None:
    """Return the value of the field that has two meanings: a flag or a due time."""
    found = fields.written_flag(value)
    return (
        day_or_time.moment(value, otherwise=", or 0, 1, true or false") if found is None else found
    )


def _address(number: int, value: Any) -> Address:
    if not isinstance(value, str):
        raise ValueError(f"address {number} should be text")  # noqa: TRY004 -- pydantic gathers ValueErrors
    try:
        return Address.parse(value)
    except ValueError as error:
        raise ValueError(f"address {number} is malformed: {error}") from None
