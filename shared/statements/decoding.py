"""Reads the JSON of a snapshot, with its amounts as decimals."""

import json
from decimal import Decimal
from typing import Any, NoReturn


class StatementError(ValueError):
    """The bytes are not a statement of a known version."""


def decode(content: bytes) -> Any:
    """Return the content as Python values. Raises StatementError if it is not JSON."""
    try:
        return json.loads(content.decode(), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise StatementError(f"snapshot: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no amount")
