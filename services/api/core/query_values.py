"""The values of query parameters that several calls take."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from services.api.core.parsing import whole_number

_ID_MAX = 2**63 - 1
_IDS_MAX = 200  # of one parameter; a request line has room for few more
_TEXT_CHARS_MAX = 200
_AMOUNT = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,4})?")
_AMOUNT_SCHEMA = {"type": "string", "pattern": "^-?[0-9]{1,14}(\\.[0-9]{1,4})?$"}
_FLAG_SCHEMA = {"type": "integer", "enum": [0, 1]}


def _flag(value: object) -> object:
    if value in {"0", "1"}:
        return value == "1"
    if isinstance(value, bool):
        return value
    raise ValueError("should be 0 or 1")


def _amount(value: object) -> object:
    if isinstance(value, str):
        if not _AMOUNT.fullmatch(value):
            raise ValueError(
                "should be an amount of at most 14 digits before the point and 4 after it"
            )
        return Decimal(value)
    return value


def _text(value: object) -> object:
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("should not contain a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("contains an unpaired surrogate") from None
    return value


Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema(_FLAG_SCHEMA)]
Id = Annotated[int, BeforeValidator(whole_number), Field(ge=0, le=_ID_MAX)]
Ids = Annotated[tuple[Id, ...], Field(max_length=_IDS_MAX)]
Text = Annotated[str, StringConstraints(max_length=_TEXT_CHARS_MAX), BeforeValidator(_text)]
Amount = Annotated[Decimal, BeforeValidator(_amount), WithJsonSchema(_AMOUNT_SCHEMA)]
